/** Matrix products without the steps around them, and large ones by the runtime's fastest kernels. */
import { size } from '../../tensor.ts'
import { beforeExchange } from '../exchange.ts'
import type { Rewrite } from '../rewrite.ts'
import { one, type Value } from '../value.ts'
import type { Matrices } from './matrices.ts'
import { productInBlocks } from './products.ts'

/** Beyond so many numbers, one thread writing a bias into all rows takes longer than two adding it. */
const LARGE = 2 ** 19

/** The runtime's own product, with which its optimiser leaves what is around alone. */
export function fusedProduct(a: Value, b: Value, { transA = 0, transB = 0 } = {}): Value {
  return one('com.microsoft.FusedMatMul', [a, b], { transA, transB })
}

/** A product takes its operands as they were before their last two axes were exchanged. */
export const product =
  (matrices: Matrices | undefined): Rewrite =>
  ({ outputs }, inputs, users) => {
    const [a, b] = inputs as readonly [Value, Value]
    if (a.dtype !== 'float32') return undefined
    const [left, right] = [beforeExchange(a), beforeExchange(b)]
    // Of a stack of matrices and one, all rows of the stack make one matrix, unless they were exchanged in each.
    if (matrices && b.shape.length === 2 && a.shape.length >= 2 && (!left || a.shape.length === 2)) {
      const factors = [
        { x: left ?? a, isTransposed: !!left },
        { x: right ?? b, isTransposed: !!right },
      ] as const
      const found = productInBlocks(factors, undefined, outputs[0]!, users, matrices)
      if (found) return [found]
    }
    if (!left && !right) return undefined
    return [fusedProduct(left ?? a, right ?? b, { transA: Number(!!left), transB: Number(!!right) })]
  }

/** The runtime's product with a bias begins with one thread that copies it into every row. */
export const productWithBias =
  (matrices: Matrices | undefined): Rewrite =>
  ({ attributes, outputs }, inputs, users) => {
    const [a, b, bias] = inputs as readonly [Value, Value, Value?]
    const { transA = 0, transB = 0, alpha = 1, beta = 1 } = attributes as Record<string, number>
    const { dtype, shape } = outputs[0]!
    if (dtype !== 'float32' || alpha !== 1 || beta !== 1) return undefined
    if (bias && (size(bias.shape) !== shape[1] || bias.shape.at(-1) !== shape[1])) return undefined
    const row = bias?.reshape([shape[1]!])
    const factors = [
      { x: a, isTransposed: !!transA },
      { x: b, isTransposed: !!transB },
    ] as const
    const found = matrices && productInBlocks(factors, row, outputs[0]!, users, matrices)
    if (found) return [found]
    return row && size(shape) > LARGE ? [fusedProduct(a, b, { transA, transB }).add(row)] : undefined
  }
