/** Matrices in blocks of columns or rows, and their products by the runtime's kernels for single pixels. */
import { sameShape, size } from '../../tensor.ts'
import { one, type Value } from '../value.ts'
import { DOMAIN } from './blocked.ts'

/**
 * Which axis of a matrix lies in blocks. By columns, [rows, columns] lies in memory as [columns / block, rows, block]; by
 * rows as [rows / block, columns, block], which is its transpose by columns.
 */
export type Direction = 'columns' | 'rows'

export const other = { columns: 'rows', rows: 'columns' } as const

/** What a number costs that comes out of blocks, beside one that is brought into them: columns take one thread alone. */
export const OUT = { columns: 3, rows: 1 } as const

/** What is known of the matrices of one graph: each is brought into blocks once, and results remember theirs. */
export class Matrices {
  readonly block: number
  readonly #known = new Map<Value, Partial<Record<Direction, Value>>>()
  /** In which blocks a matrix was computed. */
  readonly #origins = new Map<Value, Direction>()

  constructor(block: number) {
    this.block = block
  }

  /** The blocks of a tensor, as a matrix of its last axis, where they are there already. */
  known(x: Value, direction: Direction): Value | undefined {
    return this.#known.get(unshaped(x))?.[direction]
  }

  /** How many numbers have to be brought into blocks for `blocks`. */
  cost(x: Value, direction: Direction): number {
    if (this.known(x, direction)) return 0
    const origin = this.#origins.get(unshaped(x))
    return size(x.shape) * (1 + (origin ? OUT[origin] : 0))
  }

  /** The blocks of a tensor, as a matrix of its last axis. */
  blocks(x: Value, direction: Direction): Value {
    const known = this.known(x, direction)
    if (known) return known
    const matrix = unshaped(x)
    const columns = matrix.shape.at(-1)!
    const rows = size(matrix.shape) / columns
    const blocks =
      direction === 'columns'
        ? one(`${DOMAIN}.ReorderInput`, [reshaped(matrix, [1, rows, 1, columns])], { channels_last: 1 })
        : one(`${DOMAIN}.ReorderInput`, [reshaped(matrix, [1, rows, columns, 1])])
    const [blocked, along] = direction === 'columns' ? [columns, rows] : [rows, columns]
    return this.#remember(matrix, direction, reshaped(blocks, [blocked / this.block, along, this.block]))
  }

  /** The tensor of a shape that blocks, [blocked / block, along, block], are of. */
  tensor(blocks: Value, direction: Direction, shape: readonly number[]): Value {
    const along = blocks.shape[1]!
    const channels = blocks.shape[0]! * this.block
    const image = reshaped(blocks, [1, channels, along, 1])
    const channelsLast = Number(direction === 'columns')
    const plain = one(`${DOMAIN}.ReorderOutput`, [image], { channels, channels_last: channelsLast })
    const tensor = reshaped(plain, shape)
    this.#origins.set(unshaped(tensor), direction)
    this.#remember(unshaped(tensor), direction, blocks)
    return tensor
  }

  #remember(x: Value, direction: Direction, blocks: Value): Value {
    this.#known.set(x, { ...this.#known.get(x), [direction]: blocks })
    return blocks
  }
}

/** Reshapes that keep the last axis make no other matrix. */
function unshaped(x: Value): Value {
  const before = x.node?.operator === 'Reshape' ? x.node.inputs[0]! : undefined
  return before && before.shape.at(-1) === x.shape.at(-1) ? unshaped(before) : x
}

/**
 * The product of two matrices as a convolution of single pixels: of an image [inner / block, pixels, block] with weights
 * [channels / block, inner, block] come [channels / block, pixels, block].
 */
export function convolved(image: Value, weights: Value, bias: Value | undefined, block: number): Value {
  const [pixels, inner] = [image.shape[1]!, weights.shape[1]!]
  const channels = weights.shape[0]! * block
  const inputs = [reshaped(image, [1, inner, pixels, 1]), reshaped(weights, [channels, inner, 1, 1]), bias]
  return reshaped(one(`${DOMAIN}.Conv`, inputs, { kernel_shape: [1, 1] }), [channels / block, pixels, block])
}

/** Reshaped once, whatever it was before, or not at all. */
function reshaped(x: Value, shape: readonly number[]): Value {
  const before = x.node?.operator === 'Reshape' ? x.node.inputs[0]! : x
  return sameShape(before.shape, shape) ? before : before.reshape(shape)
}
