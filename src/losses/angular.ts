/** The angular loss. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import { FAR } from '../mining/extremes.ts'
import type { Miner } from '../mining/miner.ts'
import { onlyFor } from './checks.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'

export interface AngularOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /** α, the widest angle at the negative, in degrees, above 0 and at most 60; 40 if left out. */
  readonly alpha?: number
  /**
   * Whether negatives keep their length, as pytorch-metric-learning has it; then shorter embeddings cost less. Exact for lengths
   * up to 10 or so. False if left out: all vectors have length 1.
   */
  readonly rawNegatives?: boolean
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/** So small a sum is none: its logarithm stands in for that of nothing. */
const NOTHING = 1e-30

/**
 * Angular loss: the angle at the negative of the triangle that it makes with anchor and positive stays below α.
 *
 *   L = log(1 + Σₙ exp(4 tan²α (a + p)ᵀn − 2 (1 + tan²α) aᵀp)), unit vectors
 *
 * Wang, Zhou, Wen, Liu, Lin, "Deep Metric Learning with Angular Loss", 2017, eq. 8. Since (a + p)ᵀn is a sum, so is its
 * exponential a product: the sum over all negatives is one matrix product.
 *
 * @throws UsageError if the metric is not cosine or α is out of range.
 */
export function angular({
  metric = cosine,
  alpha = 40,
  rawNegatives = false,
  mining = all(),
  reduce = mean,
}: AngularOptions = {}): Loss {
  onlyFor(metric, cosine, 'angular')
  if (!(alpha > 0 && alpha <= 60)) throw new UsageError(`alpha is ${alpha}°; expected above 0 and at most 60.`)
  const bound = Math.tan((alpha * Math.PI) / 180) ** 2
  return fromRows({
    name: 'angular',
    metric,
    settings: { alpha, rawNegatives },
    mining,
    reduce,
    formula({ distances, negative, positives, batch }) {
      const near = distances.neg().add(1)
      const together = near.mul(-2 * (1 + bound))
      const sized = (cosines: Value, lengths: Value) => (rawNegatives ? cosines.mul(lengths) : cosines).mul(4 * bound)
      if (batch.pn) {
        const lengths = batch.lengths.slice(1, 1, 2)
        const apart = sized(near.slice(1, 1, 2).add(batch.pn.neg().add(1)), lengths)
        return [{ terms: positives.pick(apart.add(together)).softplus(), weight: positives.weight }]
      }
      const exponents = sized(batch.between.neg().add(1), batch.lengths)
      // Taken off before the exponential and put back after the logarithm, so that no row overflows.
      const ofPositive = exponents.max([1], true).detach()
      const others = exponents.sub(ofPositive).exp()
      const own = sized(near, batch.lengths)
      const ofAnchor = own.max([1], true).detach()
      const products = own.sub(ofAnchor).exp().mul(negative).matmul(others.transpose())
      const sums = positives.pick(products)
      const shift = ofAnchor.add(positives.pick(ofPositive.transpose()))
      const logarithm = sums.maximum(NOTHING).log().add(shift).add(positives.pick(together))
      const terms = sums.greater(NOTHING).where(logarithm, -FAR).softplus()
      return [{ terms, weight: positives.weight }]
    },
  })
}
