/** What a metric is: a distance between embeddings, of which smaller always means closer. */
import type { Value } from '../graph/value.ts'

export interface Metric {
  readonly name: string
  /** The least and the greatest distance; Infinity where there is no greatest. */
  readonly range: readonly [number, number]
  /** Whether only directions count, so that embeddings may be scaled to unit length without changing any distance. */
  readonly directional: boolean
  /** Whether d(a, c) ≤ d(a, b) + d(b, c) always holds. */
  readonly triangle: boolean
  /** The distance of each row of `a` to the same row of `b`: [n, d] × [n, d] → [n]. */
  pairwise(a: Value, b: Value): Value
  /** The distance of each row of `a` to each row of `b`: [n, d] × [m, d] → [n, m]. */
  matrix(a: Value, b: Value): Value
}
