/** The nearest of each query's candidates, by the metric's own distance of each pair. */
import { input } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { Candidates } from './candidates.ts'
import { gatherer } from './gather.ts'
import { type Matrix, padded, slice } from './matrix.ts'
import { programs } from './programs.ts'

/** Farther than anything, for candidates that are none. */
const FAR = 3e38

export interface Comparer {
  /** The `k` nearest candidates of each query and their distances, [queries, k]; of equal distances the lower rows. */
  compare(queries: Matrix, candidates: Candidates): Promise<{ indices: Int32Array; distances: Float32Array }>
  release(): Promise<void>
}

export function comparer(gallery: Matrix, metric: Metric, k: number, compute: ComputeOptions): Comparer {
  const width = gallery.shape[1]
  const gather = gatherer(gallery)
  const pairs = programs((rows: number, count: number) => {
    const shape = [rows, count, width]
    const flat = [rows * count, width]
    const queries = input('queries', 'float32', [rows, width]).unsqueeze([1]).expand(shape).reshape(flat)
    const distances = metric.pairwise(queries, input('others', 'float32', shape).reshape(flat))
    const present = input('present', 'bool', [rows, count])
    const nearest = present.where(distances.reshape([rows, count]), FAR).topK(k, 1, { largest: false })
    return { distances: nearest.values, places: nearest.indices.cast('int32') }
  }, compute)

  return {
    async compare(queries, { rows, count }) {
      const [asked] = queries.shape
      const indices = new Int32Array(asked * k)
      const distances = new Float32Array(asked * k)
      for (const { start, some, height, vectors, present } of gather(rows.subarray(0, asked * count), count)) {
        const found = await pairs.run([height, count], {
          queries: padded(slice(queries, start, start + some), height),
          others: { dtype: 'float32', shape: [height, count, width], data: vectors },
          present: { dtype: 'bool', shape: [height, count], data: present },
        })
        distances.set((found.distances!.data as Float32Array).subarray(0, some * k), start * k)
        const places = found.places!.data as Int32Array
        for (let i = 0; i < some * k; i++) {
          indices[start * k + i] = rows[(start + Math.floor(i / k)) * count + places[i]!]!
        }
      }
      return { indices, distances }
    },
    release: () => pairs.release(),
  }
}
