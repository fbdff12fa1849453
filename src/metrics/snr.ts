/** The signal-to-noise distance. */
import type { Value } from '../graph/value.ts'
import { squares } from './euclidean.ts'
import type { Metric } from './metric.ts'
import { unit } from './unit.ts'

/** A variance up to this counts as this: an anchor without any would divide by zero. */
const LEAST = 1e-6

/** The rows at unit length and less their own mean, and the sum of squares of that, d times the variance: [n, 1]. */
function centred(x: Value): { rows: Value; squares: Value } {
  const rows = unit(x)
  const shifted = rows.sub(rows.mean([1], true))
  return { rows: shifted, squares: shifted.sumSquare([1], true).maximum(LEAST) }
}

/**
 * var(a − b) / var(a) over the dimensions, of vectors at unit length; at least 0, and not symmetric: the first is the
 * anchor. Yuan, Deng, Tang, Tang, Chen, "Signal-to-Noise Ratio: A Robust Distance Metric for Deep Metric Learning", 2019,
 * eq. 4.
 */
export const snr: Metric = {
  name: 'snr',
  range: [0, Number.POSITIVE_INFINITY],
  directional: true,
  triangle: false,
  pairwise(a, b) {
    const anchor = centred(a)
    return anchor.rows
      .sub(centred(b).rows)
      .sumSquare([1])
      .div(anchor.squares.squeeze([1]))
  },
  matrix(a, b) {
    const anchor = centred(a)
    const other = a === b ? anchor : centred(b)
    return squares(anchor.rows, other.rows).distance.relu().div(anchor.squares)
  },
}
