/** Triplets chosen by how far they are from keeping a margin. */
import { UsageError } from '../errors.ts'
import type { Miner } from './miner.ts'

export interface TripletMarginOptions {
  /** In the unit of the loss's metric; 0.2 if left out. */
  readonly margin?: number
  /**
   * `all` that violate the margin; of these, `hard` ones have the negative no farther than the positive, `semihard` ones
   * farther; `easy` ones keep the margin. `all` if left out.
   */
  readonly triplets?: 'all' | 'hard' | 'semihard' | 'easy'
}

/**
 * All triplets with d(a, n) − d(a, p) ≤ margin, or a part of them.
 *
 * Schroff, Kalenichenko, Philbin, "FaceNet", 2015, section 3.2.
 *
 * @throws UsageError if the margin is not finite or there are no such triplets.
 */
export function tripletMargin({ margin = 0.2, triplets = 'all' }: TripletMarginOptions = {}): Miner {
  if (!Number.isFinite(margin)) throw new UsageError(`The margin is ${margin}; expected a number.`)
  const kinds = ['all', 'hard', 'semihard', 'easy']
  if (!kinds.includes(triplets)) {
    throw new UsageError(`There are no triplets named ${triplets}. Choose among ${kinds.join(', ')}.`)
  }
  return {
    name: 'tripletMargin',
    settings: { margin, triplets },
    select: () => ({
      kind: 'where',
      keep({ ap, an }) {
        const room = an.sub(ap)
        if (triplets === 'easy') return room.greater(margin)
        if (triplets === 'hard') return room.lessEqual(Math.min(0, margin))
        const violates = room.lessEqual(margin)
        return triplets === 'semihard' ? violates.and(room.greater(0)) : violates
      },
    }),
  }
}
