/** Matrix products without the steps around them. */
import { size } from '../../tensor.ts'
import { beforeExchange } from '../exchange.ts'
import type { Rewrite } from '../rewrite.ts'
import { one, type Value } from '../value.ts'

/** Beyond so many numbers, one thread writing a bias into all rows takes longer than two adding it. */
const LARGE = 2 ** 19

/** The runtime's own product, with which its optimiser leaves what is around alone. */
export function fusedProduct(a: Value, b: Value, { transA = 0, transB = 0 } = {}): Value {
  return one('com.microsoft.FusedMatMul', [a, b], { transA, transB })
}

/** A product takes its operands as they were before their last two axes were exchanged. */
export const product: Rewrite = (_, inputs) => {
  const [a, b] = inputs as readonly [Value, Value]
  const [left, right] = [beforeExchange(a), beforeExchange(b)]
  if (!left && !right) return undefined
  return [fusedProduct(left ?? a, right ?? b, { transA: Number(!!left), transB: Number(!!right) })]
}

/** The runtime's product with a bias begins with one thread that copies it into every row. */
export const withBias: Rewrite = ({ attributes, outputs }, inputs) => {
  const [a, b, bias] = inputs as readonly [Value, Value, Value?]
  const { transA = 0, transB = 0, alpha = 1, beta = 1 } = attributes as Record<string, number>
  const { shape } = outputs[0]!
  if (!bias || alpha !== 1 || beta !== 1 || size(bias.shape) !== shape[1] || size(shape) <= LARGE) return undefined
  return [fusedProduct(a, b, { transA, transB }).add(bias.reshape([shape[1]]))]
}
