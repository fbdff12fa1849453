/** Encoders of models written by hand: read, run and trained for a step. */
import { compile } from '../src/compile.ts'
import type { Encoder, Mode } from '../src/encoders/encoder.ts'
import { type ImportOptions, importEncoder } from '../src/encoders/imported/encoder.ts'
import { input } from '../src/graph/value.ts'
import { triplet } from '../src/losses/index.ts'
import type { Model } from '../src/onnx/schema.ts'
import { sgd } from '../src/optimizers/index.ts'
import { open } from '../src/runtime/node.ts'
import type { Tensors } from '../src/runtime/session.ts'
import type { Tensor } from '../src/tensor.ts'
import { createStep } from '../src/training/step.ts'
import { model, node, type Written, weights } from './onnx.ts'

export async function runOnce(bytes: Uint8Array, feeds: Tensors = {}): Promise<Tensors> {
  const program = await open(bytes, { threads: 1 })
  try {
    return await program.run(feeds)
  } finally {
    await program.release()
  }
}

export const importing = (written: Model, options: ImportOptions = {}) => importEncoder(written, options, runOnce)
export const read = (written: Written, options?: ImportOptions) => importing(model(written), options)

/** What the encoder's own graph gives. */
export async function embed(encoder: Encoder, feeds: Tensors, mode: Mode = 'infer'): Promise<Tensor> {
  const variables = encoder.variables(0)
  const toInputs = (tensors: Tensors) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { dtype, shape }]) => [name, input(name, dtype, shape)]))
  const { embedding } = await encoder.build(toInputs(feeds), toInputs(variables), mode)
  const program = await compile({ 'the embedding': embedding })
  try {
    return (await program.run({ ...variables, ...feeds }))['the embedding']!
  } finally {
    await program.release()
  }
}

/** One step of gradient descent at the rate 1, and the variables after it. */
export async function trained(encoder: Encoder, inputs: Tensors, optimizer = sgd({})) {
  const rows = Object.values(inputs)[0]!.shape[0]!
  const step = createStep({
    encoder,
    loss: triplet({ smooth: true }),
    optimizer,
    variables: encoder.variables(0),
    largestClass: 2,
  })
  await step.run([{ inputs, labels: Int32Array.from({ length: rows }, (_, i) => i >> 1) }], 1)
  const variables = Object.fromEntries(
    Object.entries(await step.variables()).map(([name, v]) => [name, { ...v, data: v.data.slice() }]),
  )
  await step.release()
  return variables
}

export function changed(encoder: Encoder, after: Awaited<ReturnType<typeof trained>>): string[] {
  const before = encoder.variables(0)
  return Object.keys(before).filter((name) => before[name]!.data.some((x, i) => x !== after[name]!.data[i]))
}

/** Rows of four numbers. */
export const features = (rows: number) => ({ x: weights([rows, 4], rows) })

export const linear: Written = {
  nodes: [node('Gemm', ['x', 'w', 'b'], ['out'])],
  initializers: { w: weights([4, 3]), b: weights([3], 2) },
  inputs: { x: ['float32', 'n', 4] },
}
