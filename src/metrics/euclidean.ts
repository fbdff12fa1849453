/** The Euclidean distance and its square. */
import { one, type Value } from '../graph/value.ts'
import type { Metric } from './metric.ts'

/**
 * |a − b|² for each pair as |a|² + |b|² − 2ab, and |a|² + |b|², the scale of its rounding error. Both are taken from the
 * middle of b, which changes no distance and keeps what cancels small; so no gradient needs to flow through it.
 */
export function squares(a: Value, b: Value): { distance: Value; scale: Value } {
  const middle = b.mean([0], true).detach()
  const left = a.sub(middle)
  const right = a === b ? left : b.sub(middle)
  const scale = left.sumSquare([1], true).add(right.sumSquare([1]).unsqueeze([0]))
  const product = one('Gemm', [left, right], { transB: 1, alpha: -2 })
  return { distance: scale.add(product), scale }
}

/** Σ (a − b)², at least 0. */
export const squaredEuclidean: Metric = {
  name: 'squaredEuclidean',
  range: [0, Number.POSITIVE_INFINITY],
  directional: false,
  triangle: false,
  pairwise: (a, b) => a.sub(b).sumSquare([1]),
  matrix: (a, b) => squares(a, b).distance.relu(),
  search: { space: 'l2', prepare: (x) => x, distance: (square) => square },
}

/** Below this share of |a|² + |b|², the matrix product's |a − b|² is rounding error, and its root would magnify it. */
const ROUNDING = 1e-6

/**
 * √Σ (a − b)², at least 0. Where two embeddings coincide its slope has no direction; the gradient is 0 there. `matrix`
 * counts pairs closer than a thousandth of their distance from the middle of b as coincident.
 */
export const euclidean: Metric = {
  name: 'euclidean',
  range: [0, Number.POSITIVE_INFINITY],
  directional: false,
  triangle: true,
  pairwise: (a, b) => a.sub(b).sumSquare([1]).sqrt(),
  matrix(a, b) {
    const { distance, scale } = squares(a, b)
    return distance.greater(scale.detach().mul(ROUNDING)).where(distance, 0).sqrt()
  },
  search: { space: 'l2', prepare: (x) => x, distance: (square) => square.sqrt() },
}
