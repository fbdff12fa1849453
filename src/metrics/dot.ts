/** The inner product as a distance. */
import { one } from '../graph/value.ts'
import type { Metric } from './metric.ts'

/** −⟨a, b⟩, unbounded: the negative of the inner product, so that smaller is closer. */
export const dot: Metric = {
  name: 'dot',
  range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  directional: false,
  triangle: false,
  pairwise: (a, b) => a.mul(b).sum([1]).neg(),
  matrix: (a, b) => one('Gemm', [a, b], { transB: 1, alpha: -1 }),
  search: { space: 'innerProduct', prepare: (x) => x, distance: (product) => product.neg() },
}
