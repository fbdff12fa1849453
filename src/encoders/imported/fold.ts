/** What a graph computes of constants alone, computed once: shapes, axes, masks. */
import { toInitializer } from '../../graph/to-onnx.ts'
import { writeModel } from '../../onnx/codec.ts'
import type { Node } from '../../onnx/schema.ts'
import type { Tensors } from '../../runtime/session.ts'
import type { Tensor } from '../../tensor.ts'

/** Runs a model that takes no input, once. */
export type RunOnce = (model: Uint8Array) => Promise<Tensors>

/** The runtime's IR version for every operator set that is read. */
const IR_VERSION = 10

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
