/** Where the nearest of a query can be: a few rows of the gallery, and how far everything else is at least. */
import type { Matrix } from './matrix.ts'

export interface Candidates {
  /** Rows of the gallery, ascending: [queries, count]. Numbers from the gallery's size on stand for none. */
  readonly rows: Int32Array
  readonly count: number
  /** No other row is nearer than this to the query, in the metric: [queries]. */
  readonly others: Float32Array
}

export interface CandidateFinder {
  /** At most so many queries at once. */
  readonly most: number
  find(queries: Matrix): Promise<Candidates>
  release(): Promise<void>
}
