/** The best of each query's candidates by their scores: comparing all of them in the metric itself would cost ten times more. */
import { input } from '../graph/value.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { Tensor } from '../tensor.ts'
import type { Candidates } from './candidates.ts'
import { gatherer } from './gather.ts'
import { type Matrix, slice } from './matrix.ts'
import { programs } from './programs.ts'
import type { Scores } from './scores.ts'

/** Farther than anything, for candidates that are none. */
const FAR = -3e38

export interface Narrower {
  /** @param prepared queries [queries, d] as `Scores` prepares them, and the squares of their lengths [queries, 1]. */
  narrow(prepared: Tensor, square: Tensor, candidates: Candidates): Promise<Candidates>
  release(): Promise<void>
}

/** Leaves `kept` candidates of each query. */
export function narrower(gallery: Matrix, scores: Scores, kept: number, compute: ComputeOptions): Narrower {
  const width = gallery.shape[1]
  const gather = gatherer(gallery)
  const best = programs((rows: number, count: number) => {
    const { prepared, bias } = scores.gallery(
      input('others', 'float32', [rows, count, width]).reshape([rows * count, width]),
    )
    const queries = input('queries', 'float32', [rows, width]).unsqueeze([2])
    const products = prepared.reshape([rows, count, width]).matmul(queries).squeeze([2])
    const found = bias ? products.add(bias.reshape([rows, count])) : products
    const top = input('present', 'bool', [rows, count])
      .where(found, FAR)
      .topK(kept + 1, 1)
    const least = scores.least(top.values.slice(1, kept, kept + 1), input('square', 'float32', [rows, 1]))
    return { least, places: top.indices.slice(1, 0, kept).cast('int32') }
  }, compute)

  return {
    async narrow(prepared, square, { rows, count, others }) {
      const left = new Int32Array(others.length * kept)
      const nearest = new Float32Array(others.length)
      for (const { start, some, height, vectors, present } of gather(rows, count)) {
        const found = await best.run([height, count], {
          ...scores.feeds,
          // A batch is a power of two, so these rows are there.
          queries: slice(prepared, start, start + height),
          square: slice(square, start, start + height),
          others: { dtype: 'float32', shape: [height, count, width], data: vectors },
          present: { dtype: 'bool', shape: [height, count], data: present },
        })
        const [least, places] = [found.least!.data as Float32Array, found.places!.data as Int32Array]
        for (let i = 0; i < some; i++) {
          const query = start + i
          nearest[query] = Math.min(others[query]!, least[i]!)
          const own = places.subarray(i * kept, (i + 1) * kept)
          left.set(own.map((place) => rows[query * count + place]!).sort(), query * kept)
        }
      }
      return { rows: left, count: kept, others: nearest }
    },
    release: () => best.release(),
  }
}
