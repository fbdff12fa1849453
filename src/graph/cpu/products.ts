/** Large products of matrices by the runtime's fastest kernels, those of convolutions of single pixels. */
import { size } from '../../tensor.ts'
import type { Users } from '../rewrite.ts'
import type { Value } from '../value.ts'
import { isMultiplied } from './elementwise.ts'
import { convolved, type Direction, type Matrices, OUT, other } from './matrices.ts'

/**
 * For a number that is brought into blocks, a product has to have at least so many multiplications: fewer where its left matrix
 * is transposed, which the runtime's products are slowest at.
 */
const WORTH = { plain: 200, transposed: 80 }
/** What a number of the result costs where it goes on in columns, and what one that a bias is added to afterwards. */
const IN_BLOCKS = { columns: 0, rows: OUT.rows + 1 }
const WITH_BIAS = { columns: OUT.columns, rows: OUT.rows + 1 }

/** A matrix, or a stack of them, as it is multiplied: transposed where that is said. */
export interface Factor {
  readonly x: Value
  readonly isTransposed: boolean
}

/**
 * The product y of a matrix, or of all rows of a stack, and another matrix, with a row added to each of its rows; `undefined`
 * where blocks do not divide it, or are not worth it. By columns, the left matrix is the image, a pixel for each row, and the
 * right one the weights; by rows it is the product of the transposes, in which the right one is the image.
 */
export function productInBlocks(
  factors: readonly [Factor, Factor],
  bias: Value | undefined,
  y: Value,
  users: Users,
  matrices: Matrices,
): Value | undefined {
  const columns = y.shape.at(-1)!
  const rows = size(y.shape) / columns
  const inner = size(factors[0].x.shape) / rows
  const { block } = matrices
  const result = isMultiplied(y, users) ? IN_BLOCKS : bias ? WITH_BIAS : OUT
  const costOf = (direction: Direction) =>
    factors.reduce(
      (sum, each) => sum + matrices.cost(each.x, within(each, direction)),
      result[direction] * rows * columns,
    )
  const extents = { columns, rows }
  const direction = (['columns', 'rows'] as const)
    .filter((each) => inner % block === 0 && extents[each] % block === 0)
    .sort((a, b) => costOf(a) - costOf(b))[0]
  const worth = factors[0].isTransposed ? WORTH.transposed : WORTH.plain
  if (direction === undefined || costOf(direction) * worth > rows * inner * columns) return undefined
  const [left, right] = factors.map((each) => matrices.blocks(each.x, within(each, direction))) as [Value, Value]
  if (direction === 'columns') return matrices.tensor(convolved(left, right, bias, block), direction, y.shape)
  // Here the channels, to which a convolution adds its bias, are rows.
  const product = matrices.tensor(convolved(right, left, undefined, block), direction, y.shape)
  return bias ? product.add(bias) : product
}

/** Blocks along one axis of the transpose are blocks along the other of the matrix. */
function within({ isTransposed }: Factor, direction: Direction): Direction {
  return isTransposed ? other[direction] : direction
}
