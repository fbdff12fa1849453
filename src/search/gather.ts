/** Rows of a gallery side by side, some queries' candidates at a time. */
import { type Matrix, powerOfTwo } from './matrix.ts'

export interface Gathered {
  /** The first of the queries, and how many they are. */
  readonly start: number
  readonly some: number
  /** How many there are room for: a power of two, for few shapes of programs. */
  readonly height: number
  /** [height, count, width]; overwritten by the next. */
  readonly vectors: Float32Array
  /** [height, count]: 1 where a candidate is. */
  readonly present: Uint8Array
}

/** Numbers that lie side by side at once. */
const HELD = 2 ** 20

/** @returns a function of rows [queries, count] of the gallery; those from its size on stand for none. */
export function gatherer({ shape: [size, width], data }: Matrix) {
  let held = new Float32Array(0)
  return function* gather(rows: Int32Array, count: number): Generator<Gathered> {
    const queries = rows.length / count
    const most = Math.max(1, 2 ** Math.floor(Math.log2(HELD / (count * width))))
    for (let start = 0; start < queries; start += most) {
      const some = Math.min(most, queries - start)
      const height = Math.min(most, powerOfTwo(some))
      if (held.length < height * count * width) held = new Float32Array(height * count * width)
      const vectors = held.subarray(0, height * count * width)
      const present = new Uint8Array(height * count)
      for (let i = 0, next = 1; i < some * count; i = next, next++) {
        const row = rows[start * count + i]!
        if (row >= size) continue
        // Rows that follow each other are copied at once, which takes a third of the time.
        while (next < some * count && rows[start * count + next] === row + next - i && row + next - i < size) next++
        vectors.set(data.subarray(row * width, (row + next - i) * width), i * width)
        present.fill(1, i, next)
      }
      yield { start, some, height, vectors, present }
    }
  }
}
