/** The nearest of each query's candidates, by the metric's own distance of each pair. */
import { input } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { Candidates } from './candidates.ts'
import { type Matrix, padded, powerOfTwo, slice } from './matrix.ts'
import { programs } from './programs.ts'

/** Numbers of candidates that lie side by side at once. */
const HELD = 2 ** 20
/** Farther than anything, for candidates that are none. */
const FAR = 3e38

export interface Comparer {
  /** The `k` nearest candidates of each query and their distances, [queries, k]; of equal distances the lower rows. */
  compare(queries: Matrix, candidates: Candidates): Promise<{ indices: Int32Array; distances: Float32Array }>
  release(): Promise<void>
}

export function comparer(gallery: Matrix, metric: Metric, k: number, compute: ComputeOptions): Comparer {
  const [size, width] = gallery.shape
  const pairs = programs((rows: number, count: number) => {
    const shape = [rows, count, width]
    const queries = input('queries', 'float32', [rows, width]).unsqueeze([1]).expand(shape)
    const others = input('others', 'float32', shape)
    const distances = metric.pairwise(
      ...([queries, others].map((x) => x.reshape([rows * count, width])) as [never, never]),
    )
    const present = input('present', 'bool', [rows, count])
    const nearest = present.where(distances.reshape([rows, count]), FAR).topK(k, 1, { largest: false })
    return { distances: nearest.values, places: nearest.indices.cast('int32') }
  }, compute)

  let held = new Float32Array(0)
  return {
    async compare(queries, { rows, count }) {
      const [asked] = queries.shape
      const indices = new Int32Array(asked * k)
      const distances = new Float32Array(asked * k)
      const most = Math.max(1, 2 ** Math.floor(Math.log2(HELD / (count * width))))
      for (let start = 0; start < asked; start += most) {
        const some = Math.min(most, asked - start)
        const height = Math.min(most, powerOfTwo(some))
        if (held.length < height * count * width) held = new Float32Array(height * count * width)
        const others = held.subarray(0, height * count * width)
        const present = new Uint8Array(height * count)
        for (let i = 0; i < some * count; i++) {
          const row = rows[start * count + i]!
          if (row >= size) continue
          others.set(gallery.data.subarray(row * width, (row + 1) * width), i * width)
          present[i] = 1
        }
        const found = await pairs.run([height, count], {
          queries: padded(slice(queries, start, start + some), height),
          others: { dtype: 'float32', shape: [height, count, width], data: others },
          present: { dtype: 'bool', shape: [height, count], data: present },
        })
        distances.set((found.distances!.data as Float32Array).subarray(0, some * k), start * k)
        for (let i = 0; i < some * k; i++) {
          const query = start + Math.floor(i / k)
          indices[start * k + i] = rows[query * count + (found.places!.data as Int32Array)[i]!]!
        }
      }
      return { indices, distances }
    },
    release: () => pairs.release(),
  }
}
