/** Operands of an imported node as the graph's builder takes them. */

import { constant, type Value } from '../../graph/value.ts'
import type { Node } from '../../onnx/schema.ts'

/** ONNX's Pow takes exponents of another type than the base, as `x ** 2` is exported; the builder's takes float32. */
export function operandsOf(
  { operator }: Node,
  operands: readonly (Value | undefined)[],
): readonly (Value | undefined)[] {
  const [base, exponent] = operands
  if (operator !== 'Pow' || base?.dtype !== 'float32' || !exponent || exponent.dtype === 'float32') return operands
  return [base, toFloat(exponent)]
}

/** A constant stays one, so that its gradient is known to be none. */
function toFloat(value: Value): Value {
  const { data, shape } = value
  return data
    ? constant('float32', shape, Array.from(data as ArrayLike<number | bigint>, Number))
    : value.cast('float32')
}
