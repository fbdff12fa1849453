/** The reference's operator cases as graphs: the operator itself and its gradients. */

import { differentiate } from '../src/graph/differentiate.ts'
import type { Attributes } from '../src/graph/operators/operator.ts'
import { apply, constant, input, integers, type Value } from '../src/graph/value.ts'
import { type DType, type Tensor, toTypedArray } from '../src/tensor.ts'

export interface Data {
  shape: number[]
  dtype: string
  data: number[]
}
export interface Case {
  operator: string
  attributes: Record<string, number | string | number[]>
  inputs: Data[]
  output: Data
  upstream: Data
  gradients: (Data | null)[]
  note?: string
}

const dtypes: Record<string, DType> = { float: 'float32', int64: 'int64', bool: 'bool', int32: 'int32' }
/** Inputs that hold axes, shapes and the like have to be constants; for these operators they are data. */
const indexed = new Set(['Gather', 'GatherElements', 'GatherND', 'ScatterElements'])

/** The reference states axes and scales as attributes where newer operator sets take inputs. */
export function buildCase({ operator, attributes, inputs, upstream: given, gradients, note }: Case, name: string) {
  const { axes, scales, ...rest } = attributes
  const values = inputs.map(({ shape, dtype, data }, i) =>
    dtype === 'int64' && !indexed.has(operator)
      ? constant('int64', shape, data)
      : input(`${name} x${i}`, dtypes[dtype]!, shape),
  )
  const all: (Value | undefined)[] = [...values]
  if (axes) all.push(integers(axes as number[]))
  if (scales) all.push(undefined, constant('float32', [(scales as number[]).length], scales as number[]))
  const output = apply(operator, all, rest as Attributes)[note === 'second output' ? 1 : 0]!
  const targets = values.filter((_, i) => gradients[i])
  const upstream = input(`${name} upstream`, 'float32', output.shape)
  const outputs: Record<string, Value> = { [`${name} output`]: output }
  differentiate(output, targets, upstream).forEach((gradient, i) => {
    outputs[`${name} gradient ${i}`] = gradient
  })
  const feeds: Record<string, Tensor> = { [`${name} upstream`]: toTensor(given) }
  values.forEach((value, i) => {
    if (value.source.kind === 'input') feeds[value.source.name] = toTensor(inputs[i]!)
  })
  return { outputs, feeds }
}

function toTensor({ shape, dtype, data }: Data): Tensor {
  return { dtype: dtypes[dtype]!, shape, data: toTypedArray(dtypes[dtype]!, data) }
}
