/**
 * Candidates by one matrix product: for metrics whose order a product knows. The gallery is cut into segments of a few rows;
 * the product leaves only the best score of each, so that almost nothing has to be sorted. The nearest lie in the segments
 * with the best scores, and the best score of all other segments says how near anything else could be.
 */
import { input, one } from '../graph/value.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { CandidateFinder } from './candidates.ts'
import { type Lengths, type Matrix, padded, powerOfTwo, slice } from './matrix.ts'
import { narrower } from './narrow.ts'
import { programs } from './programs.ts'
import { type Ordered, scoresOf } from './scores.ts'

const QUERIES = 1024
/** Scores of one product, few enough that they stay near the processor, and rows of the gallery in it at most. */
const [BLOCK, ROWS] = [2 ** 21, 8192]
/** Lengths of segments. */
const [SHORTEST, LONGEST] = [4, 32]
/** A number of a candidate that is scored costs so much of a segment whose best score is kept and looked at: measured. */
const SCORING = 0.17
/** More than there are neighbours to find, so that what is left out is farther for certain, rounding included. */
const SPARE = 8
/** No more scores of segments than this are held at once. */
const HELD = 2 ** 23

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
  // Longer segments are fewer, but leave more to score: the sum of both is least here.
  const best = Math.sqrt(size / (SCORING * kept * width))
  const length = Math.min(Math.max(2 ** Math.round(Math.log2(best)), SHORTEST), LONGEST)
  const count = Math.ceil(size / length)
  return count > 4 * kept ? { length, count, kept } : undefined
}

export function byProduct(
  gallery: Matrix,
  lengths: Lengths,
  metric: Ordered,
  { length, count: total, kept }: Segments,
  compute: ComputeOptions,
): CandidateFinder {
  const [size, dimension] = gallery.shape
  const most = Math.max(1, Math.min(QUERIES, 2 ** Math.floor(Math.log2(HELD / total))))
  const rowsInBlock = Math.min(ROWS, powerOfTwo(size), BLOCK / most)
  const scores = scoresOf(gallery, lengths, metric)
  const narrowing = narrower(gallery, scores, kept, compute)
  let held = new Float32Array(0)

  const prepare = programs((rows: number) => scores.queries(input('rows', 'float32', [rows, dimension])), compute)

  const block = programs((queries: number) => {
    const { prepared, bias } = scores.gallery(input('rows', 'float32', [rowsInBlock, dimension]))
    const product = [input('prepared', 'float32', [queries, dimension]), prepared]
    const found = one('Gemm', bias ? [...product, bias] : product, { transB: 1 })
    return { best: found.reshape([queries, rowsInBlock / length, length]).max([2]) }
  }, compute)

  const choose = programs((queries: number) => {
    const top = input('best', 'float32', [queries, total]).topK(kept + 1, 1)
    const others = scores.least(top.values.slice(1, kept, kept + 1), input('square', 'float32', [queries, 1]))
    return { others, chosen: top.indices.slice(1, 0, kept).cast('int32') }
  }, compute)

  return {
    most,
    async find(queries) {
      const [asked] = queries.shape
      const { prepared, square } = await prepare.run([asked], { rows: queries, ...scores.feeds })
      if (held.length < asked * total) held = new Float32Array(asked * total)
      const best = held.subarray(0, asked * total)
      for (let start = 0; start < size; start += rowsInBlock) {
        const rows = padded(slice(gallery, start, Math.min(start + rowsInBlock, size)), rowsInBlock)
        const { best: found } = await block.run([asked], { prepared: prepared!, rows, ...scores.feeds })
        const [first, width] = [start / length, rowsInBlock / length]
        const some = Math.min(width, total - first)
        for (let query = 0; query < asked; query++) {
          const own = (found!.data as Float32Array).subarray(query * width, query * width + some)
          best.set(own, query * total + first)
        }
      }
      const { others, chosen } = await choose.run([asked], {
        ...scores.feeds,
        best: { dtype: 'float32', shape: [asked, total], data: best },
        square: square!,
      })
      const count = kept * length
      const rows = new Int32Array(asked * count)
      for (const [i, segment] of (chosen!.data as Int32Array).entries()) {
        for (let k = 0; k < length; k++) rows[i * length + k] = segment * length + k
      }
      return narrowing.narrow(prepared!, square!, { rows, count, others: others!.data as Float32Array })
    },
    async release() {
      for (const each of [prepare, block, choose, narrowing]) await each.release()
    },
  }
}
