/** What a graph computes of constants alone, computed once: shapes, axes, masks. */
import { DataError } from '../../errors.ts'
import { toInitializer } from '../../graph/to-onnx.ts'
import { writeModel } from '../../onnx/codec.ts'
import type { Node } from '../../onnx/schema.ts'
import type { Tensors } from '../../runtime/session.ts'
import { size, type Tensor } from '../../tensor.ts'

/** Runs a model that takes no input, once. */
export type RunOnce = (model: Uint8Array) => Promise<Tensors>

/** The runtime's IR version for every operator set that is read. */
const IR_VERSION = 10

/** Constants of more elements than this are no shapes, axes or masks: a damaged file asks for them. */
const MOST_ELEMENTS = 2 ** 26

/** How many elements operators give whose results can be far larger than their inputs, by the values of these. */
const growth: Readonly<Record<string, (inputs: readonly (Tensor | undefined)[]) => number>> = {
  ConstantOfShape: ([shape]) => product(shape),
  Expand: ([x, shape]) => size(x!.shape) * product(shape),
  Tile: ([x, repeats]) => size(x!.shape) * product(repeats),
  Range: ([start, limit, delta]) => Math.abs((first(limit) - first(start)) / first(delta)),
  Pad: ([x, pads]) =>
    size(x!.shape.map((extent) => extent + numbers(pads).reduce((sum, each) => sum + Math.abs(each), 0))),
  OneHot: ([indices, depth]) => size(indices!.shape) * first(depth),
}

/** Whether the size of a node's result has to be looked at before it is computed. */
export function grows(node: Node): boolean {
  return Object.hasOwn(growth, node.operator)
}

/** @throws DataError if a node would give more elements than any shape, axis or mask has. */
export function checkGrowth(node: Node, known: ReadonlyMap<string, Tensor>): void {
  const elements = growth[node.operator]!(node.inputs.map((name) => known.get(name)))
  if (elements <= MOST_ELEMENTS) return
  throw new DataError(
    `${node.operator} (${node.name || node.outputs[0]}) gives a constant of ${elements} elements; expected at most ${MOST_ELEMENTS}. The file is damaged: export it again.`,
  )
}

function numbers(tensor: Tensor | undefined): number[] {
  return Array.from((tensor?.data ?? []) as ArrayLike<number | bigint>, Number)
}

function first(tensor: Tensor | undefined): number {
  return numbers(tensor)[0] ?? 0
}

function product(tensor: Tensor | undefined): number {
  return numbers(tensor).reduce((all, each) => all * Math.max(each, 1), 1)
}

/** The values `wanted` of nodes that depend on nothing but `known`. */
export async function fold(
  nodes: readonly Node[],
  known: ReadonlyMap<string, Tensor>,
  wanted: readonly string[],
  operatorSet: number,
  run: RunOnce,
): Promise<Tensors> {
  const used = new Set(nodes.flatMap(({ inputs }) => inputs))
  const initializers = [...known]
    .filter(([name]) => used.has(name))
    .map(([name, tensor]) => toInitializer(name, tensor))
  return run(
    writeModel({
      irVersion: IR_VERSION,
      operatorSets: [{ version: operatorSet }],
      metadata: [],
      graph: {
        name: 'constants',
        nodes: [...nodes],
        initializers,
        inputs: [],
        outputs: wanted.map((name) => ({ name })),
        values: [],
      },
    }),
  )
}
