/** Values and their gradients: what a loss, a metric or an encoder of one's own is written in. */

export type { DType, Shape, Tensor } from '../tensor.ts'
export { differentiate } from './differentiate.ts'
export type { Operand } from './node.ts'
export { concat, constant, input, scalar, type Value } from './value.ts'
