/** The threshold-consistent margin loss. */
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import type { Miner } from '../mining/miner.ts'
import { checkPositive } from '../settings.ts'
import { checkThreshold, onlyFor } from './checks.ts'
import { overPairs } from './contrastive.ts'
import type { Loss, Reducer } from './loss.ts'
import { meanNonZero } from './reducers.ts'

export interface ThresholdConsistentMarginOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /** Positives beyond this distance cost; 0.1 if left out, a cosine of 0.9. */
  readonly posMargin?: number
  /** Negatives within this distance cost; 0.5 if left out. */
  readonly negMargin?: number
  /** λ⁺ and λ⁻ > 0, the weight of each sign; 1 if left out. */
  readonly posWeight?: number
  readonly negWeight?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Threshold-consistent margin loss: only hard pairs cost, so that one threshold serves all classes. To be added to another
 * loss, with `weightedSum`.
 *
 *   L = λ⁺ max(d(a, p) − posMargin, 0) + λ⁻ max(negMargin − d(a, n), 0), each the mean over those above zero
 *
 * Zhang and others, "Threshold-Consistent Margin Loss for Open-World Deep Metric Learning", 2024, eq. 4, in distances.
 *
 * @throws UsageError if the metric is not cosine or a setting is out of range.
 */
export function thresholdConsistentMargin({
  metric = cosine,
  posMargin = 0.1,
  negMargin = 0.5,
  posWeight = 1,
  negWeight = 1,
  reduce = meanNonZero,
  ...mining
}: ThresholdConsistentMarginOptions = {}): Loss {
  onlyFor(metric, cosine, 'thresholdConsistentMargin')
  checkThreshold(posMargin, metric, 'posMargin')
  checkThreshold(negMargin, metric, 'negMargin')
  checkPositive({ posWeight, negWeight })
  return overPairs(
    {
      positive: (d) => d.sub(posMargin).relu().mul(posWeight),
      negative: (d) => d.neg().add(negMargin).relu().mul(negWeight),
    },
    {
      name: 'thresholdConsistentMargin',
      settings: { posMargin, negMargin, posWeight, negWeight },
      metric,
      reduce,
      ...mining,
    },
  )
}
