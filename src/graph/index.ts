/** Values and their gradients: what a loss, a metric or an encoder of one's own is written in. */

export type { DType, Shape, Tensor } from '../tensor.ts'
export { differentiate } from './differentiate.ts'
export { concat, constant, input, type Operand, scalar, type Value } from './value.ts'
