/** The hardest positive and the hardest negative of each anchor. */
import type { Value } from '../graph/value.ts'
import type { Miner } from './miner.ts'

/** Farther than any distance, and finite, so that nothing becomes NaN. */
const FAR = 1e30

/**
 * One triplet for each anchor: its farthest positive and its nearest negative. Anchors without a positive or without a
 * negative have none.
 *
 * Hermans, Beyer, Leibe, "In Defense of the Triplet Loss for Person Re-Identification", 2017, eq. 5.
 */
export function batchHard(): Miner {
  return {
    name: 'batchHard',
    select({ distances, same, other }) {
      const known = distances.detach()
      return {
        kind: 'triplets',
        positive: same.where(known, -FAR).argMax(1),
        negative: other.where(known, FAR).argMin(1),
        weight: any(same).mul(any(other)),
      }
    },
  }
}

/** 1 for each row in which a condition holds somewhere, 0 for the others: [n, m] → [n, 1]. */
function any(condition: Value): Value {
  return condition.cast('float32').max([1], true)
}
