/** The hardest positive and the hardest negative of each anchor. */
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
      const [positives, negatives] = [same.cast('float32'), other.cast('float32')]
      return {
        kind: 'triplets',
        // Adding 0 or ±FAR, which leaves the distances that count as they are, is faster than Where.
        positive: known.add(positives.sub(1).mul(FAR)).argMax(1),
        negative: known.sub(negatives.sub(1).mul(FAR)).argMin(1),
        weight: positives.max([1], true).mul(negatives.max([1], true)),
      }
    },
  }
}
