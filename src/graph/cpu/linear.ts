/** Matrix products without the steps around them, and large ones by the runtime's fastest kernels. */
import { size } from '../../tensor.ts'
import { beforeExchange } from '../exchange.ts'
import type { Rewrite, Users } from '../rewrite.ts'
import { one, type Value } from '../value.ts'
import { isMultiplied } from './elementwise.ts'
import { convolved, type Direction, type Matrices, other } from './matrices.ts'

/** Beyond so many numbers, one thread writing a bias into all rows takes longer than two adding it. */
const LARGE = 2 ** 19
/** A number that is brought into blocks has to be worth so many multiplications in a product. */
const WORTH = 128
/** What a number of the result costs, beside one that is brought into blocks: out of columns goes one thread alone. */
const IN_BLOCKS = { columns: 0, rows: 2 }
const PLAIN = { columns: 3, rows: 1 }
const WITH_BIAS = { columns: 3, rows: 2 }

/** A matrix as it is multiplied: transposed where that is said. */
interface Factor {
  readonly x: Value
  readonly isTransposed: boolean
}

/** The runtime's own product, with which its optimiser leaves what is around alone. */
export function fusedProduct(a: Value, b: Value, { transA = 0, transB = 0 } = {}): Value {
  return one('com.microsoft.FusedMatMul', [a, b], { transA, transB })
}

/** A product takes its operands as they were before their last two axes were exchanged. */
export const product =
  (matrices: Matrices | undefined): Rewrite =>
  ({ outputs }, inputs, users) => {
    const [a, b] = inputs as readonly [Value, Value]
    const [left, right] = [beforeExchange(a), beforeExchange(b)]
    // Of a stack of matrices and one, all rows of the stack make one matrix, unless they were exchanged in each.
    if (matrices && b.shape.length === 2 && a.shape.length >= 2 && (!left || a.shape.length === 2)) {
      const factors = [factor(left ?? a, !!left), factor(right ?? b, !!right)] as const
      const found = inBlocks(factors, undefined, outputs[0]!, users, matrices)
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
    const { shape } = outputs[0]!
    if (alpha !== 1 || beta !== 1 || (bias && size(bias.shape) !== shape[1])) return undefined
    const row = bias?.reshape([shape[1]!])
    const found = matrices && inBlocks([factor(a, !!transA), factor(b, !!transB)], row, outputs[0]!, users, matrices)
    if (found) return [found]
    return row && size(shape) > LARGE ? [fusedProduct(a, b, { transA, transB }).add(row)] : undefined
  }

function factor(x: Value, isTransposed: boolean): Factor {
  return { x, isTransposed }
}

/**
 * A large product as a convolution of single pixels. By columns, the left matrix is the image, a pixel for each row, and
 * the right one the weights; by rows it is the product of the transposes, in which the right one is the image.
 */
function inBlocks(
  [left, right]: readonly [Factor, Factor],
  bias: Value | undefined,
  y: Value,
  users: Users,
  matrices: Matrices,
): Value | undefined {
  const columns = y.shape.at(-1)!
  const rows = size(y.shape) / columns
  const inner = size(left.x.shape) / rows
  const { block } = matrices
  if (inner % block !== 0) return undefined
  const along = ({ isTransposed }: Factor, direction: Direction) => (isTransposed ? other[direction] : direction)
  const operands = (direction: Direction) =>
    [left, right]
      .filter((each) => !matrices.known(each.x, along(each, direction)))
      .reduce((sum, { x }) => sum + size(x.shape), 0)
  const result = isMultiplied(y, users) ? IN_BLOCKS : bias ? WITH_BIAS : PLAIN
  const costs = ([['columns', columns], ['rows', rows]] as const)
    .filter(([, blocked]) => blocked % block === 0)
    .map(([direction]) => [direction, operands(direction) + result[direction] * rows * columns] as const)
    .sort(([, a], [, b]) => a - b)
  const [direction, cost] = costs[0] ?? []
  if (direction === undefined || cost! * WORTH > rows * inner * columns) return undefined
  const [first, second] = [left, right].map((each) => matrices.blocks(each.x, along(each, direction))) as [Value, Value]
  if (direction === 'columns') return matrices.tensor(convolved(first, second, bias, block), direction, y.shape)
  const tensor = matrices.tensor(convolved(second, first, undefined, block), direction, y.shape)
  return bias ? tensor.add(bias) : tensor
}
