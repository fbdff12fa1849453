/** ONNX models written by hand, as other exporters might write them. */

import { toInitializer } from '../src/graph/to-onnx.ts'
import { type Attribute, attributeTypes, dataTypes, type Model, type Node } from '../src/onnx/schema.ts'
import { type DType, type Tensor, toTypedArray } from '../src/tensor.ts'

type Said = number | string | readonly number[] | Tensor | { readonly float: number }

export function node(operator: string, inputs: string[], outputs: string[], said: Record<string, Said> = {}): Node {
  return {
    name: `${operator} to ${outputs[0]}`,
    operator,
    inputs,
    outputs,
    attributes: Object.entries(said).map(attribute),
  }
}

function attribute([name, value]: [string, Said]): Attribute {
  const empty = { name, floats: [], ints: [], strings: [] }
  if (typeof value === 'number') return { ...empty, type: attributeTypes.int, int: value }
  if (typeof value === 'string')
    return { ...empty, type: attributeTypes.string, string: new TextEncoder().encode(value) }
  if ('float' in value) return { ...empty, type: attributeTypes.float, float: value.float }
  if ('dtype' in value) return { ...empty, type: attributeTypes.tensor, tensor: toInitializer('', value) }
  return { ...empty, type: attributeTypes.ints, ints: [...value] }
}

export function tensor(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  return { dtype, shape, data: toTypedArray(dtype, values) }
}

/** Weights that are neither alike nor large. */
export function weights(shape: readonly number[], seed = 1): Tensor {
  const length = shape.reduce((all, each) => all * each, 1)
  return tensor(
    'float32',
    shape,
    Array.from({ length }, (_, i) => Math.sin(seed * 12.3 + i * 1.7) / 2),
  )
}

export interface Written {
  readonly nodes: Node[]
  readonly initializers?: Readonly<Record<string, Tensor>>
  /** A name stands for an open extent. */
  readonly inputs: Readonly<Record<string, readonly [DType, ...(number | string)[]]>>
  readonly outputs?: readonly string[]
  readonly operatorSet?: number
}

export function model({ nodes, initializers = {}, inputs, outputs = ['out'], operatorSet = 17 }: Written): Model {
  return {
    irVersion: 8,
    producerName: 'hand',
    operatorSets: [{ domain: '', version: operatorSet }],
    metadata: [],
    graph: {
      name: 'graph',
      nodes,
      initializers: Object.entries(initializers).map(([name, each]) => toInitializer(name, each)),
      inputs: Object.entries(inputs).map(([name, [dtype, ...shape]]) => {
        const dimensions = shape.map((extent) =>
          typeof extent === 'number' ? { value: extent } : { parameter: extent },
        )
        return { name, type: { tensor: { elementType: dataTypes[dtype], shape: { dimensions } } } }
      }),
      outputs: outputs.map((name) => ({ name })),
      values: [],
    },
  }
}
