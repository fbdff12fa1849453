/** The nearest and the farthest of an anchor's examples. */
import type { Value } from '../graph/value.ts'

/** Farther than any distance, and finite, so that nothing becomes NaN. */
export const FAR = 1e30

/** Columns int64 [n, 1], distances [n, 1], and whether there is any: 1 or 0 [n, 1]. */
export interface Extreme {
  readonly column: Value
  readonly distance: Value
  readonly found: Value
}

/** Of the columns that count [n, m] bool, the nearest; without any, its distance is beyond all others. */
export function nearest(distances: Value, counted: Value): Extreme {
  return extreme(distances, counted, 1)
}

/** Of the columns that count, the farthest; without any, its distance is below all others. */
export function farthest(distances: Value, counted: Value): Extreme {
  return extreme(distances, counted, -1)
}

function extreme(distances: Value, counted: Value, sign: 1 | -1): Extreme {
  const weight = counted.cast('float32')
  // Adding 0 or ±FAR, which leaves the distances that count as they are, is faster than Where.
  const open = distances.sub(weight.sub(1).mul(sign * FAR))
  return {
    column: sign === 1 ? open.argMin(1) : open.argMax(1),
    distance: sign === 1 ? open.min([1], true) : open.max([1], true),
    found: weight.max([1], true),
  }
}
