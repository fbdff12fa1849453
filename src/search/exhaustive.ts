/** Candidates by every distance, block by block: for any metric. */
import { concat, input } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { CandidateFinder } from './candidates.ts'
import { type Matrix, slice } from './matrix.ts'
import { programs } from './programs.ts'

/** Some millions of distances at once: enough to keep the processors busy, and little memory. */
export interface Blocks {
  readonly queries: number
  readonly gallery: number
}

/** Farther than anything, for the places that the first block fills. */
const FAR = 3e38

/** Finds the `count` nearest rows by `metric.matrix`; of equal distances the lower rows. */
export function exhaustive(
  gallery: Matrix,
  metric: Metric,
  count: number,
  blocks: Blocks,
  compute: ComputeOptions,
): CandidateFinder {
  const [size, dimension] = gallery.shape
  const block = programs((rows: number, columns: number) => {
    const shape = [rows, count]
    const matrix = metric.matrix(
      input('queries', 'float32', [rows, dimension]),
      input('gallery', 'float32', [columns, dimension]),
    )
    const nearest = matrix.topK(Math.min(count, columns), 1, { largest: false })
    const found = nearest.indices.cast('int32').add(input('offset', 'int32', []))
    const merged = concat([input('distances', 'float32', shape), nearest.values], 1).topK(count, 1, { largest: false })
    const indices = concat([input('indices', 'int32', shape), found], 1).gatherElements(merged.indices, 1)
    return { nextDistances: merged.values, nextIndices: indices }
  }, compute)

  return {
    most: blocks.queries,
    async find(queries) {
      const [rows] = queries.shape
      const shape = [rows, count]
      let distances: Float32Array = new Float32Array(rows * count).fill(FAR)
      let indices: Int32Array = new Int32Array(rows * count).fill(-1)
      for (let start = 0; start < size; start += blocks.gallery) {
        const part = slice(gallery, start, Math.min(start + blocks.gallery, size))
        const results = await block.run([rows, part.shape[0]], {
          queries,
          gallery: part,
          offset: { dtype: 'int32', shape: [], data: Int32Array.of(start) },
          distances: { dtype: 'float32', shape, data: distances },
          indices: { dtype: 'int32', shape, data: indices },
        })
        distances = results.nextDistances!.data as Float32Array
        indices = results.nextIndices!.data as Int32Array
      }
      for (let row = 0; row < rows; row++) indices.subarray(row * count, (row + 1) * count).sort()
      return { rows: indices, count, others: new Float32Array(rows).fill(Number.POSITIVE_INFINITY) }
    },
    release: () => block.release(),
  }
}
