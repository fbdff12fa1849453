/** Reductions by way of what the runtime computes many numbers of at once. */
import { size } from '../../tensor.ts'
import type { Rewrite } from '../rewrite.ts'
import { constant, one, type Value } from '../value.ts'
import { fusedProduct } from './linear.ts'
import { convolved, type Matrices } from './matrices.ts'

/** Between so many rows, a sum over them is a product with ones; more would make its rounding worse. */
const [FEWEST, MOST] = [8, 2 ** 16]
/** Sums of fewer columns than this are done before threads have begun. */
const COLUMNS = 32

/**
 * The runtime's log Σ exp takes one exponential after another, its LogSoftmax many at once, in a tenth of the time. With
 * y = x − log Σ exp(x), the difference of their greatest elements is what is asked for; an infinite one is the sum itself.
 */
export const logSumExp: Rewrite = ({ attributes }, inputs) => {
  const [x, axes] = inputs as readonly [Value, Value?]
  const last = x.shape.length - 1
  if (axes?.data?.length !== 1 || ![last, -1].includes(Number(axes.data[0]))) return undefined
  const keep = attributes.keepdims !== 0
  const normalized = one('LogSoftmax', [x], { axis: last })
  const greatest = x.max([last], keep)
  const isInfinite = greatest.abs().equal(Number.POSITIVE_INFINITY)
  return [isInfinite.where(greatest, greatest.sub(normalized.max([last], keep)))]
}

/** A sum over the first axes, of what lies behind each other in memory: a product with a row of ones takes half the time. */
export const sum =
  (matrices: Matrices | undefined): Rewrite =>
  ({ attributes, outputs }, inputs) => {
    const [x, axes] = inputs as readonly [Value, Value?]
    const reduced = Array.from((axes?.data ?? []) as ArrayLike<bigint>, Number).sort((a, b) => a - b)
    const isFirst = reduced.length > 0 && reduced.every((axis, i) => axis === i)
    if (!isFirst || x.dtype !== 'float32' || attributes.noop_with_empty_axes) return undefined
    const rows = size(x.shape.slice(0, reduced.length))
    const columns = size(x.shape) / rows
    if (rows < FEWEST || rows > MOST || columns < COLUMNS) return undefined
    const ones = (shape: readonly number[]) => constant('float32', shape, Array(rows).fill(1))
    const blocks = reduced.length === x.shape.length - 1 ? matrices?.known(x, 'columns') : undefined
    const total =
      matrices && blocks && rows % matrices.block === 0
        ? convolved(ones([rows / matrices.block, 1, matrices.block]), blocks, undefined, matrices.block)
        : fusedProduct(ones([1, rows]), x.reshape([rows, columns]))
    return [total.reshape(outputs[0]!.shape)]
  }
