/** The easiest, the hardest or the semi-hard positive and negative of each anchor. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { farthest, nearest } from './extremes.ts'
import type { Miner } from './miner.ts'

export type Strategy = 'easy' | 'hard' | 'semihard' | 'all'

export interface BatchEasyHardOptions {
  /** `easy` takes the nearest positive, `hard` the farthest; `easy` if left out. */
  readonly positives?: Strategy
  /** `easy` takes the farthest negative, `hard` the nearest; `semihard` if left out. */
  readonly negatives?: Strategy
}

/**
 * One positive and one negative for each anchor, or all of one kind. A semi-hard negative is the nearest that is farther than
 * the positive chosen; a semi-hard positive the farthest that is nearer than the negative chosen.
 *
 * Xuan, Stylianou, Pless, "Improved Embeddings with Easy Positive Triplet Mining", 2020.
 *
 * @throws UsageError if a strategy does not exist, or one is semi-hard without one example of the other kind to go by.
 */
export function batchEasyHard({ positives = 'easy', negatives = 'semihard' }: BatchEasyHardOptions = {}): Miner {
  for (const strategy of [positives, negatives]) {
    if (['easy', 'hard', 'semihard', 'all'].includes(strategy)) continue
    throw new UsageError(`There is no strategy ${strategy}. Choose among easy, hard, semihard, all.`)
  }
  const semi = [positives, negatives].filter((each) => each === 'semihard').length
  if (semi === 2 || (semi === 1 && [positives, negatives].includes('all'))) {
    throw new UsageError(
      `Positives ${positives} with negatives ${negatives} leave nothing to be semi-hard by. Choose easy or hard for one.`,
    )
  }
  return {
    name: 'batchEasyHard',
    settings: { positives, negatives },
    select({ distances, same, other }) {
      const known = distances.detach()
      const positive = (among: Value) => (positives === 'easy' ? nearest(known, among) : farthest(known, among))
      const negative = (among: Value) => (negatives === 'easy' ? farthest(known, among) : nearest(known, among))
      if (positives === 'all' || negatives === 'all') {
        const picked = (among: Value, { column, found }: ReturnType<typeof nearest>) =>
          among.cast('float32').mul(0).scatterAdd(column, found, 1)
        return {
          kind: 'pairs',
          positive: positives === 'all' ? same.cast('float32') : picked(same, positive(same)),
          negative: negatives === 'all' ? other.cast('float32') : picked(other, negative(other)),
        }
      }
      if (positives === 'semihard') {
        const chosen = negative(other)
        return both(positive(same.and(known.less(chosen.distance))), chosen)
      }
      const chosen = positive(same)
      return both(chosen, negative(negatives === 'semihard' ? other.and(known.greater(chosen.distance)) : other))
    },
  }
}

function both(positive: ReturnType<typeof nearest>, negative: ReturnType<typeof nearest>) {
  return {
    kind: 'triplets',
    positive: positive.column,
    negative: negative.column,
    weight: positive.found.mul(negative.found),
  } as const
}
