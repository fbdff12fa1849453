/** Pairs chosen by two distances. */
import { UsageError } from '../errors.ts'
import type { Miner } from './miner.ts'

export interface PairMarginOptions {
  /** Positives beyond this distance are picked; 0.2 if left out. */
  readonly posMargin?: number
  /** Negatives within this distance are picked; 0.8 if left out. */
  readonly negMargin?: number
}

/**
 * The positives that are too far and the negatives that are too near, in the unit of the loss's metric.
 *
 * @throws UsageError if a distance is not finite.
 */
export function pairMargin({ posMargin = 0.2, negMargin = 0.8 }: PairMarginOptions = {}): Miner {
  if (!Number.isFinite(posMargin) || !Number.isFinite(negMargin)) {
    throw new UsageError(`The margins are ${posMargin} and ${negMargin}; expected two numbers.`)
  }
  return {
    name: 'pairMargin',
    settings: { posMargin, negMargin },
    select({ distances, same, other }) {
      const known = distances.detach()
      return {
        kind: 'pairs',
        positive: same.and(known.greater(posMargin)).cast('float32'),
        negative: other.and(known.less(negMargin)).cast('float32'),
      }
    },
  }
}
