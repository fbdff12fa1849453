/** Negatives drawn so that all distances are alike in number. */
import { UsageError } from '../errors.ts'
import { concat } from '../graph/value.ts'
import { chord } from '../metrics/sphere.ts'
import { FAR } from './extremes.ts'
import type { Miner } from './miner.ts'

export interface DistanceWeightedOptions {
  /** Distances below this count as this, 0 to 2; 0.5 if left out. */
  readonly cutoff?: number
  /** Negatives from this distance on are not drawn; 1.4 if left out. */
  readonly nonzeroLossCutoff?: number
}

/** No distance of unit vectors is taken nearer to 2 than this: its density there is 0. */
const LEAST = 1e-3

/**
 * For each anchor and each of its positives one negative, drawn with a probability in inverse proportion to how often its
 * distance comes among random directions, q(d) ∝ d^(k−2) (1 − d²/4)^((k−3)/2) in k dimensions.
 *
 * Wu, Manmatha, Smola, Krähenbühl, "Sampling Matters in Deep Embedding Learning", 2017, eq. 4. Distances are those of unit
 * vectors. Anchors all of whose negatives are too far draw none.
 *
 * @throws UsageError if a cutoff is out of range.
 */
export function distanceWeighted({ cutoff = 0.5, nonzeroLossCutoff = 1.4 }: DistanceWeightedOptions = {}): Miner {
  if (!(cutoff > 0 && cutoff < nonzeroLossCutoff && nonzeroLossCutoff <= 2)) {
    throw new UsageError(
      `The cutoffs are ${cutoff} and ${nonzeroLossCutoff}; expected 0 < cutoff < nonzeroLossCutoff ≤ 2.`,
    )
  }
  return {
    name: 'distanceWeighted',
    settings: { cutoff, nonzeroLossCutoff },
    metric: chord,
    select({ distances, same, other, mostPositives, dimension, random }) {
      const known = distances.detach()
      const [n, m] = known.shape as [number, number]
      const clipped = known.maximum(cutoff).minimum(2 - LEAST)
      const rareness = clipped
        .log()
        .mul(2 - dimension)
        .sub(
          clipped
            .square()
            .div(-4)
            .add(1)
            .log()
            .mul((dimension - 3) / 2),
        )
      const drawable = other.and(known.less(nonzeroLossCutoff)).cast('float32')
      // The greatest of a row becomes 1; sums of a row stay finite, whatever the dimension.
      const greatest = rareness.add(drawable.sub(1).mul(FAR)).max([1], true)
      const weights = rareness.sub(greatest).minimum(0).exp().mul(drawable)
      const upTo = weights.cumSum(1)
      const total = weights.sum([1], true)
      const { values: filled, indices: positive } = same.cast('float32').topK(mostPositives, 1)
      const drawn = random.uniform([n, mostPositives])
      const slots = Array.from({ length: mostPositives }, (_, slot) => {
        const target = drawn.slice(1, slot, slot + 1).mul(upTo.slice(1, m - 1, m))
        // The first column whose running sum is beyond the number drawn.
        return upTo.greater(target).cast('float32').mul(drawable).argMax(1)
      })
      const negative = slots.length === 1 ? slots[0]! : concat(slots, 1)
      return { kind: 'triplets', positive, negative, weight: filled.mul(total.greater(0).cast('float32')) }
    },
  }
}
