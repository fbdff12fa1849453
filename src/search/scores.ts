/** What a product of rows says of their distances: the greater, the nearer. */
import { input, type Value } from '../graph/value.ts'
import type { Metric, SearchForm } from '../metrics/metric.ts'
import type { Tensors } from '../runtime/session.ts'
import type { Lengths, Matrix } from './matrix.ts'

/** A metric whose order a product knows. */
export type Ordered = Metric & { readonly search: SearchForm }

export interface Scores {
  /** What the graphs below are fed with besides rows. */
  readonly feeds: Tensors
  /** Queries [n, d] as they are multiplied, and the squares of their lengths [n, 1]. */
  queries(rows: Value): { prepared: Value; square: Value }
  /** Rows of the gallery [n, d] as they are multiplied, and what is added to their products [n]; nothing if left out. */
  gallery(rows: Value): { prepared: Value; bias?: Value }
  /** No distance is less than this where no score is greater, rounding included: [n, 1]. */
  least(score: Value, square: Value): Value
}

/** Squared lengths that differ from 1 by less are taken for it. */
const UNIT = 1e-5
/** Of a float32: a sum of d products is wrong by no more than d halves of this, times the lengths of the two vectors. */
const EPSILON = 2 ** -23

/** Scores are inner products, or −|q − b|²/2 but for |q|². */
export function scoresOf(gallery: Matrix, lengths: Lengths, { directional, search }: Ordered): Scores {
  const { space, prepare, distance } = search
  const { dimension, middle } = { dimension: gallery.shape[1], middle: space === 'l2' ? middleOf(gallery) : undefined }
  // Where all lengths are 1 already, nothing is divided by them.
  const isUnit = directional && lengths.least > 1 - UNIT && lengths.greatest < 1 + UNIT
  const greatest = middle ? farthestFrom(gallery, middle) : lengths.greatest
  const centred = (rows: Value) => (middle ? rows.sub(input('middle', 'float32', [1, dimension])) : rows)
  /** The greatest length of what is multiplied. */
  const longest = directional ? 1 : Math.sqrt(greatest)
  return {
    feeds: {
      longest: { dtype: 'float32', shape: [], data: Float32Array.of(longest) },
      ...(middle && { middle: { dtype: 'float32', shape: [1, dimension], data: middle } }),
    },
    queries(rows) {
      const prepared = prepare(centred(rows))
      return { prepared, square: prepared.sumSquare([1], true) }
    },
    gallery(rows) {
      const prepared = isUnit ? rows : prepare(centred(rows))
      return { prepared, ...(middle && { bias: prepared.sumSquare([1]).mul(-0.5) }) }
    },
    least(score, square) {
      const length = input('longest', 'float32', [])
      const lengthsOf = middle ? square.sqrt().add(length) : square.sqrt()
      const most = score.add(lengthsOf.mul(length).mul(2 * dimension * EPSILON)).add(isUnit ? UNIT : 0)
      return distance(middle ? square.sub(most.mul(2)).relu() : most)
    },
  }
}

/** The mean row: taken off before squares are, it changes no distance and keeps what cancels small. */
function middleOf({ shape: [size, width], data }: Matrix): Float32Array {
  const sums = new Float64Array(width)
  for (let row = 0; row < size; row++) {
    for (let i = 0; i < width; i++) sums[i]! += data[row * width + i]!
  }
  return Float32Array.from(sums, (sum) => sum / size)
}

/** The greatest squared distance of a row from the middle. */
function farthestFrom({ shape: [size, width], data }: Matrix, middle: Float32Array): number {
  let greatest = 0
  for (let row = 0; row < size; row++) {
    let square = 0
    for (let i = 0; i < width; i++) square += (data[row * width + i]! - middle[i]!) ** 2
    if (square > greatest) greatest = square
  }
  return greatest
}
