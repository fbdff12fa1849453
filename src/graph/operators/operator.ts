/** What an operator is to the builder: a rule from the types of its inputs to the types of its outputs. */
import { GraphError } from '../../errors.ts'
import { type DType, describe, type Shape, type TensorType, type TypedArray } from '../../tensor.ts'

/** The type of an input and, where it is a constant, its data: the target of a Reshape, the axes of a ReduceSum. */
export interface InputType extends TensorType {
  readonly data?: TypedArray | undefined
}
export type Attributes = Readonly<Record<string, number | string | readonly number[]>>

/** Optional inputs that are left out are `undefined`. Throws GraphError where shapes or types do not fit. */
export type Infer = (inputs: readonly (InputType | undefined)[], attributes: Attributes) => readonly TensorType[]

/** The input at `index`, which the operator cannot do without. */
export function required(inputs: readonly (InputType | undefined)[], index: number): InputType {
  const input = inputs[index]
  if (!input) throw new GraphError(`input ${index} is missing`)
  return input
}

/** The integers of a constant input. */
export function integers(inputs: readonly (InputType | undefined)[], index: number): number[] {
  const { data } = required(inputs, index)
  if (!data) throw new GraphError(`input ${index} must be a constant, because shapes are fixed when a graph is built`)
  return Array.from(data as ArrayLike<number | bigint>, Number)
}

/** An axis counted from the front, for a tensor of `rank` axes. */
export function normalizeAxis(axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(axis) || result < 0 || result >= rank) {
    throw new GraphError(`axis ${axis} is outside of a tensor of ${rank} axes`)
  }
  return result
}

/** The common shape of operands by NumPy's rule. */
export function broadcast(shapes: readonly Shape[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    let result = 1
    for (const shape of shapes) {
      const extent = shape[axis - rank + shape.length] ?? 1
      if (extent !== 1 && result !== 1 && extent !== result) {
        throw new GraphError(`shapes ${shapes.map((s) => `[${s.join(', ')}]`).join(' and ')} cannot be broadcast`)
      }
      if (extent !== 1) result = extent
    }
    return result
  })
}

export function expectDType(input: TensorType, ...allowed: DType[]): void {
  if (!allowed.includes(input.dtype)) throw new GraphError(`expected ${allowed.join(' or ')}, found ${describe(input)}`)
}

export function expectRank(input: TensorType, rank: number): void {
  if (input.shape.length !== rank) throw new GraphError(`expected ${rank} axes, found ${describe(input)}`)
}

/** Of operators that work on each float32 element by itself. */
export const unary: Infer = (inputs) => {
  const x = required(inputs, 0)
  expectDType(x, 'float32')
  return [{ dtype: x.dtype, shape: x.shape }]
}
