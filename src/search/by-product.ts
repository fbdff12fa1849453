/**
 * Candidates by one matrix product: for metrics whose order a product knows. The gallery is cut into segments of a few rows;
 * the product leaves only the best score of each, so that almost nothing has to be sorted. The nearest lie in the segments
 * with the best scores, and the best score of all other segments says how near anything else could be.
 */
import { input, one, type Value } from '../graph/value.ts'
import type { Metric, SearchForm } from '../metrics/metric.ts'
import type { ComputeOptions, Tensors } from '../runtime/session.ts'
import type { Tensor } from '../tensor.ts'
import type { CandidateFinder } from './candidates.ts'
import { type Lengths, type Matrix, padded, slice } from './matrix.ts'
import { programs } from './programs.ts'

const QUERIES = 256
/** Rows of the gallery in one product. */
const BLOCK = 4096
/** Lengths of segments. */
const [SHORTEST, LONGEST] = [4, 32]
/** A number of a candidate that is compared costs so much of a segment whose score is kept and looked at: measured. */
const COMPARING = 0.7
/** More segments than there are neighbours to find, so that what is left out is farther for certain, rounding included. */
const SPARE = 8
/** No more scores of segments than this are held at once. */
const HELD = 2 ** 23
/** Squared lengths that differ from 1 by less are taken for it. */
const UNIT = 1e-5
/** Of a float32: a sum of d products is wrong by no more than d halves of this, times the lengths of the two vectors. */
const EPSILON = 2 ** -23

/** How a gallery is cut. */
export interface Segments {
  /** Rows in each, the last aside. */
  readonly length: number
  readonly count: number
  /** How many of them are looked into. */
  readonly kept: number
}

/** How a gallery [size, width] is cut to find `k`; undefined where it is too small for this to be of use. */
export function segmentsFor(size: number, width: number, k: number): Segments | undefined {
  const kept = k + SPARE
  // Longer segments are fewer, but leave more to compare: the sum of both is least here.
  const best = Math.sqrt(size / (COMPARING * kept * width))
  const length = Math.min(Math.max(2 ** Math.round(Math.log2(best)), SHORTEST), LONGEST)
  const count = Math.ceil(size / length)
  return count > 4 * kept ? { length, count, kept } : undefined
}

export function byProduct(
  gallery: Matrix,
  lengths: Lengths,
  metric: Metric & { readonly search: SearchForm },
  segments: Segments,
  compute: ComputeOptions,
): CandidateFinder {
  const [size, dimension] = gallery.shape
  const { length, count: total, kept } = segments
  const form = metric.search
  const isL2 = form.space === 'l2'
  const isUnit = metric.directional && lengths.least > 1 - UNIT && lengths.greatest < 1 + UNIT
  const middle = isL2 ? middleOf(gallery) : undefined
  const rowsAt = (rows: number) => input('rows', 'float32', [rows, dimension])
  const centred = (x: Value) => (middle ? x.sub(input('middle', 'float32', [1, dimension])) : x)

  const prepare = programs((rows: number) => {
    const prepared = form.prepare(centred(rowsAt(rows)))
    return { prepared, square: prepared.sumSquare([1], true) }
  }, compute)

  const block = programs((queries: number) => {
    // Without a look at lengths where all are 1 already: that would be a tenth of the product.
    const rows = isUnit ? rowsAt(BLOCK) : form.prepare(centred(rowsAt(BLOCK)))
    const product = [input('prepared', 'float32', [queries, dimension]), rows]
    // −|q − b|²/2 but for |q|², or ⟨q, b⟩.
    const bias = isL2 ? [rows.sumSquare([1]).mul(-0.5)] : []
    const scores = one('Gemm', [...product, ...bias], { transB: 1 })
    return { best: scores.reshape([queries, BLOCK / length, length]).max([2]) }
  }, compute)

  const choose = programs((queries: number) => {
    const square = input('square', 'float32', [queries, 1])
    const top = input('best', 'float32', [queries, total]).topK(kept + 1, 1)
    const farthest = input('farthest', 'float32', [])
    const rounding = square
      .sqrt()
      .add(isL2 ? farthest : 0)
      .mul(farthest)
      .mul(2 * dimension * EPSILON)
    const score = top.values
      .slice(1, kept, kept + 1)
      .add(rounding)
      .add(isUnit ? UNIT : 0)
    const others = form.distance(isL2 ? square.sub(score.mul(2)).relu() : score)
    return { others, chosen: top.indices.slice(1, 0, kept).cast('int32') }
  }, compute)

  const longest: Tensor = { dtype: 'float32', shape: [], data: Float32Array.of(longestOf()) }
  let held = new Float32Array(0)
  const shared: Tensors = middle ? { middle } : {}

  /** The greatest length of what is compared. */
  function longestOf(): number {
    if (metric.directional) return 1
    return Math.sqrt(middle ? farthestFrom(gallery, middle.data as Float32Array) : lengths.greatest)
  }

  return {
    most: Math.max(1, Math.min(QUERIES, 2 ** Math.floor(Math.log2(HELD / total)))),
    async find(queries) {
      const [asked] = queries.shape
      const { prepared, square } = await prepare.run([asked], { rows: queries, ...shared })
      if (held.length < asked * total) held = new Float32Array(asked * total)
      const best = held.subarray(0, asked * total)
      for (let start = 0; start < size; start += BLOCK) {
        const rows = padded(slice(gallery, start, Math.min(start + BLOCK, size)), BLOCK)
        const found = (await block.run([asked], { prepared: prepared!, rows, ...shared })).best!.data as Float32Array
        const [first, width] = [start / length, BLOCK / length]
        const some = Math.min(width, total - first)
        for (let query = 0; query < asked; query++) {
          best.set(found.subarray(query * width, query * width + some), query * total + first)
        }
      }
      const { others, chosen } = await choose.run([asked], {
        best: { dtype: 'float32', shape: [asked, total], data: best },
        square: square!,
        farthest: longest,
      })
      const rows = new Int32Array(asked * kept * length)
      for (let query = 0; query < asked; query++) {
        const some = (chosen!.data as Int32Array).slice(query * kept, (query + 1) * kept).sort()
        for (let i = 0; i < kept * length; i++) {
          rows[query * kept * length + i] = some[Math.floor(i / length)]! * length + (i % length)
        }
      }
      return { rows, count: kept * length, others: others!.data as Float32Array }
    },
    async release() {
      for (const each of [prepare, block, choose]) await each.release()
    },
  }
}

/** The mean row: taken off before squares are, it changes no distance and keeps what cancels small. */
function middleOf({ shape: [size, width], data }: Matrix): Tensor {
  const sums = new Float64Array(width)
  for (let row = 0; row < size; row++) {
    for (let i = 0; i < width; i++) sums[i]! += data[row * width + i]!
  }
  return { dtype: 'float32', shape: [1, width], data: Float32Array.from(sums, (sum) => sum / size) }
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
