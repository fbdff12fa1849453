/** From a graph to something that runs: where graph/, onnx/ and runtime/ meet. */
import { channelBlock } from './channel-block.ts'
import { RuntimeError } from './errors.ts'
import { forCpu } from './graph/for-cpu.ts'
import { forWebGpu, isForCpu } from './graph/for-webgpu.ts'
import type { Node } from './graph/node.ts'
import { type Rewrite, rewrite } from './graph/rewrite.ts'
import { reach, toModel } from './graph/to-onnx.ts'
import type { Value } from './graph/value.ts'
import { writeModel } from './onnx/codec.ts'
import type { Model } from './onnx/schema.ts'
import { open } from './runtime/node.ts'
import type { Device, Program, SessionOptions, Tensors } from './runtime/session.ts'
import { FIRST } from './runtime/uncopied.ts'
import { allocate, describe, sameShape, type Tensor, type TensorType } from './tensor.ts'

/** Operators that the CPU may compute in blocks of channels. */
const inBlocks = new Set(['Conv', 'Gemm', 'MatMul'])

/** Forms that a device computes right, or faster. */
async function formsFor(device: Device, nodes: readonly Node[]): Promise<Rewrite | undefined> {
  if (device === 'webgpu') return forWebGpu
  if (device !== 'cpu') return undefined
  return forCpu(nodes.some(({ operator }) => inBlocks.has(operator)) ? await channelBlock() : undefined)
}

/**
 * Compiles the graph that computes `outputs`, by name, from the input values that they depend on.
 *
 * @throws RuntimeError if ONNX Runtime refuses it; when it runs, also if a feed is of another type than its input.
 */
export async function compile(outputs: Readonly<Record<string, Value>>, options?: SessionOptions): Promise<Program> {
  const { inputs, nodes } = reach(Object.values(outputs))
  const device = options?.device ?? 'cpu'
  const forms = await formsFor(device, nodes)
  const model = toModel(forms ? rewrite(outputs, forms) : outputs)
  const onCpu = (device === 'webgpu' ? model.graph.nodes : []).filter(isForCpu).map(({ name = '' }) => name)
  const given = device === 'cpu'
  const program = await open(writeModel(given ? uncopied(model) : model), { ...options, onCpu })
  return {
    ...program,
    async run(feeds, into = {}) {
      for (const [name, type] of inputs) checkFeed(name, type, feeds[name])
      return program.run(feeds, given ? { ...fresh(outputs, into), ...into } : into)
    },
  }
}

/** The same model with a first output that keeps the others from being copied. */
function uncopied(model: Model): Model {
  const first = { name: FIRST, operator: 'SequenceEmpty', inputs: [], outputs: [FIRST], attributes: [] }
  const { nodes, outputs } = model.graph
  return { ...model, graph: { ...model.graph, nodes: [...nodes, first], outputs: [{ name: FIRST }, ...outputs] } }
}

/** Memory for the outputs that the caller has none for. */
function fresh(outputs: Readonly<Record<string, Value>>, into: Tensors): Tensors {
  const others = Object.entries(outputs).filter(([name]) => !into[name])
  return Object.fromEntries(
    others.map(([name, { dtype, shape }]) => [name, { dtype, shape, data: allocate({ dtype, shape }) }]),
  )
}

function checkFeed(name: string, type: TensorType, feed: Tensor | undefined): void {
  if (!feed) throw new RuntimeError(`The input ${name}, ${describe(type)}, is missing.`)
  if (feed.dtype !== type.dtype || !sameShape(feed.shape, type.shape)) {
    throw new RuntimeError(`The input ${name} takes ${describe(type)}, found ${describe(feed)}.`)
  }
}
