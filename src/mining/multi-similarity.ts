/** Pairs that are out of order, or nearly. */
import { UsageError } from '../errors.ts'
import { farthest, nearest } from './extremes.ts'
import type { Miner } from './miner.ts'

export interface MultiSimilarityMinerOptions {
  /** How far from being out of order a pair may be, in the unit of the loss's metric; 0.1 if left out. */
  readonly epsilon?: number
}

/**
 * The positives that are farther than an anchor's nearest negative less ε, and the negatives nearer than its farthest positive
 * plus ε. Wang, Han, Huang, Dong, Scott, "Multi-Similarity Loss", 2019, eq. 11 and 12.
 *
 * @throws UsageError if ε is not finite.
 */
export function multiSimilarity({ epsilon = 0.1 }: MultiSimilarityMinerOptions = {}): Miner {
  if (!Number.isFinite(epsilon)) throw new UsageError(`epsilon is ${epsilon}; expected a number.`)
  return {
    name: 'multiSimilarity',
    settings: { epsilon },
    select({ distances, same, other }) {
      const known = distances.detach()
      // Rows without a negative have none nearer than any positive, and the other way round.
      const negative = nearest(known, other).distance
      const positive = farthest(known, same).distance
      return {
        kind: 'pairs',
        positive: same.and(known.add(epsilon).greater(negative)).cast('float32'),
        negative: other.and(known.sub(epsilon).less(positive)).cast('float32'),
      }
    },
  }
}
