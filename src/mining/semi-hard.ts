/** The triplets that are in order, but by less than the margin. */
import { UsageError } from '../errors.ts'
import type { Miner } from './miner.ts'

export interface SemiHardOptions {
  /** In the unit of the loss's metric; 0.2 if left out. Usually that of the loss. */
  readonly margin?: number
}

/**
 * All triplets with d(a, p) < d(a, n) ≤ d(a, p) + margin: the negative is farther than the positive, but not by enough.
 * The hardest negatives, with which training collapses most easily, are left out.
 *
 * Schroff, Kalenichenko, Philbin, "FaceNet", 2015, section 3.2.
 *
 * @throws UsageError if the margin is not above 0.
 */
export function semiHard({ margin = 0.2 }: SemiHardOptions = {}): Miner {
  if (!(margin > 0)) throw new UsageError(`Semi-hard mining needs a margin above 0, found ${margin}.`)
  return {
    name: 'semiHard',
    settings: { margin },
    select: () => ({ kind: 'where', keep: ({ ap, an }) => an.greater(ap).and(an.lessEqual(ap.add(margin))) }),
  }
}
