/** The hardest positive and the hardest negative of each anchor. */
import { farthest, nearest } from './extremes.ts'
import type { Miner } from './miner.ts'

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
      const [positive, negative] = [farthest(known, same), nearest(known, other)]
      return {
        kind: 'triplets',
        positive: positive.column,
        negative: negative.column,
        weight: positive.found.mul(negative.found),
      }
    },
  }
}
