/** Exact search: the nearest embeddings of a gallery, in a metric. */
import { DataError } from '../errors.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { Tensor } from '../tensor.ts'
import { byProduct, segmentsFor } from './by-product.ts'
import type { CandidateFinder } from './candidates.ts'
import { comparer } from './compare.ts'
import { type Blocks, exhaustive } from './exhaustive.ts'
import { checkMatrix, type Matrix, padded, pick, powerOfTwo, slice } from './matrix.ts'

/** What was found for each query, nearest first; at equal distances the lower index first. */
export interface Neighbours {
  /** How many were found for each query: no more than the gallery has. */
  readonly k: number
  /** Rows of the gallery: [queries, k]. */
  readonly indices: Int32Array
  /** In the metric's unit: [queries, k]. */
  readonly distances: Float32Array
}

export interface Searcher {
  /** Searches for the rows of `queries` [q, d] float32. @throws DataError if they do not fit the gallery. */
  nearest(queries: Tensor): Promise<Neighbours>
  release(): Promise<void>
}

export interface SearchOptions extends ComputeOptions {
  /** How many to find for each query. */
  readonly k: number
  /** How many rows of queries and of the gallery are compared at once where every distance is computed. */
  readonly blocks?: Blocks
}

const BLOCKS = { queries: 256, gallery: 8192 }
/** Candidates beyond those asked for, whose distances the matrix product may have rounded into another order. */
const SPARE = 8

/**
 * Searches one gallery [g, d] float32 many times, in little more memory than the gallery itself. Candidates are found by a
 * matrix product; their distances, and their order, are those of `metric.pairwise`. Where rounding leaves it open whether a
 * candidate was missed, and for metrics that no product orders, every distance is computed.
 *
 * @throws DataError if the gallery is empty or holds a number that is not finite.
 */
export function openSearcher(
  gallery: Tensor,
  metric: Metric,
  { k, blocks = BLOCKS, ...compute }: SearchOptions,
): Searcher {
  const { matrix, lengths } = checkMatrix(gallery, 'gallery')
  const [size, dimension] = matrix.shape
  if (size === 0) throw new DataError('The gallery is empty. Give at least one embedding to search.')
  const kept = Math.min(k, size)
  const { search: form } = metric
  const segments = form && segmentsFor(size, dimension, kept)
  const every = exhaustive(matrix, metric, Math.min(kept + SPARE, size), blocks, compute)
  const fast = segments && byProduct(matrix, lengths, { ...metric, search: form }, segments, compute)
  const pairs = comparer(matrix, metric, kept, compute)

  async function search(finder: CandidateFinder, queries: Matrix) {
    const [count] = queries.shape
    const indices = new Int32Array(count * kept)
    const distances = new Float32Array(count * kept)
    const open: number[] = []
    for (let start = 0; start < count; start += finder.most) {
      const some = slice(queries, start, Math.min(start + finder.most, count))
      const [rows] = some.shape
      const candidates = await finder.find(padded(some, Math.min(finder.most, powerOfTwo(rows))))
      const found = await pairs.compare(some, candidates)
      indices.set(found.indices, start * kept)
      distances.set(found.distances, start * kept)
      for (let i = 0; i < rows; i++) {
        if (!(found.distances[(i + 1) * kept - 1]! < candidates.others[i]!)) open.push(start + i)
      }
    }
    return { indices, distances, open }
  }

  return {
    async nearest(queries) {
      const asked = checkMatrix(queries, 'queries').matrix
      if (asked.shape[1] !== dimension) {
        throw new DataError(
          `The queries have ${asked.shape[1]} dimensions, the gallery ${dimension}. Embed both with the same encoder.`,
        )
      }
      const { indices, distances, open } = await search(fast ?? every, asked)
      if (fast && open.length > 0) {
        const again = await search(every, pick(asked, open))
        for (const [place, query] of open.entries()) {
          const [from, to] = [place * kept, (place + 1) * kept]
          indices.set(again.indices.subarray(from, to), query * kept)
          distances.set(again.distances.subarray(from, to), query * kept)
        }
      }
      // Rounding can carry a distance a hair beyond the metric's range.
      const [least, most] = metric.range
      return { k: kept, indices, distances: distances.map((x) => Math.min(Math.max(x, least), most)) }
    },
    async release() {
      for (const each of [every, fast, pairs]) await each?.release()
    },
  }
}

/** Whether a product finds the `k` nearest rows of a gallery, so that few distances have to be computed. */
export function isFast({ shape: [size, width] }: Tensor, { search }: Metric, k: number): boolean {
  return search !== undefined && segmentsFor(size!, width!, Math.min(k, size!)) !== undefined
}

/** Searches once. */
export async function nearest(
  queries: Tensor,
  gallery: Tensor,
  metric: Metric,
  options: SearchOptions,
): Promise<Neighbours> {
  const searcher = openSearcher(gallery, metric, options)
  try {
    return await searcher.nearest(queries)
  } finally {
    await searcher.release()
  }
}
