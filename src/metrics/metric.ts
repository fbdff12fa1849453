/** What a metric is: a distance between embeddings, of which smaller always means closer. */
import type { Value } from '../graph/value.ts'

/**
 * How the nearest in a metric are found by products alone: by the greatest inner product of the prepared vectors, or by the
 * least squared L2 distance. What orders so can be searched fast, and kept in any vector store.
 */
export interface SearchForm {
  readonly space: 'innerProduct' | 'l2'
  /** What is compared: [n, d] → [n, d]. */
  prepare(x: Value): Value
  /** The metric's distance, of inner products or of squared L2 distances. */
  distance(score: Value): Value
}

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
  /** Left out where no product orders as the metric does. */
  readonly search?: SearchForm
}
