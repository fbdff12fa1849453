/** The cosine-margin-triplet loss. */
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkPositive } from '../settings.ts'
import { checkMargin, onlyFor } from './checks.ts'
import { fromFormula } from './from-formula.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'

export interface CosineMarginTripletOptions {
  /** Only `cosine` fits; it is an option so that a caller who chooses metrics by name gets a clear error. */
  readonly metric?: Metric
  /** m, how much more similar the positive has to be, as a difference of cosines; 0.2 if left out. */
  readonly margin?: number
  /** s > 0, how sharply hard triplets outweigh easy ones; 8 if left out. */
  readonly scale?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Cosine-margin-triplet loss: the softmax cross-entropy of telling the positive from the negative, with a margin.
 *
 *   L = −log( exp(s(cos(a, p) − m)) / (exp(s(cos(a, p) − m)) + exp(s·cos(a, n))) ) = softplus(s(d(a, p) − d(a, n) + m))
 *
 * Unde and Rameshan, "MOTS R-CNN: Cosine-margin-triplet loss for multi-object tracking", 2021, eq. 9; d = 1 − cos. The
 * second form is the one computed: it does not overflow for any s.
 *
 * @throws UsageError if the metric is not cosine, the margin is outside of 0…2, or the scale is not above 0.
 */
export function cosineMarginTriplet({
  metric = cosine,
  margin = 0.2,
  scale = 8,
  mining = all(),
  reduce = mean,
}: CosineMarginTripletOptions = {}): Loss {
  onlyFor(metric, cosine, 'cosineMarginTriplet')
  checkMargin(margin, metric)
  checkPositive({ scale })
  return fromFormula({
    name: 'cosineMarginTriplet',
    metric,
    settings: { margin, scale },
    // Scaled before they meet, while they are small.
    formula: ({ ap, an }) => ap.add(margin).mul(scale).sub(an.mul(scale)).softplus(),
    mining,
    reduce,
  })
}
