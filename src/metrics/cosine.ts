/** The cosine distance. */
import { one } from '../graph/value.ts'
import type { Metric } from './metric.ts'
import { unit } from './unit.ts'

/**
 * 1 − cos(a, b), from 0 (same direction) over 1 (at right angles) to 2 (opposite). A zero vector has cosine 0, hence
 * distance 1, with everything. Half the squared chord between the unit vectors; no triangle inequality.
 */
export const cosine: Metric = {
  name: 'cosine',
  range: [0, 2],
  directional: true,
  triangle: false,
  pairwise: (a, b) => unit(a).mul(unit(b)).sum([1]).neg().add(1),
  matrix(a, b) {
    const left = unit(a)
    return one('Gemm', [left, a === b ? left : unit(b)], { transB: 1, alpha: -1 }).add(1)
  },
}
