/** The intra-pair variance loss. */
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkNotNegative } from '../settings.ts'
import { onlyFor } from './checks.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'

export interface IntraPairVarianceOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /** How far below the mean similarity positives may be, as a share of it; 0.01 if left out. */
  readonly posEps?: number
  /** How far above the mean similarity negatives may be; 0.01 if left out. */
  readonly negEps?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Intra-pair variance loss: similarities of positives, and of negatives, close to their own mean. Beside another loss.
 *
 *   L = max((1 − ε) s̄⁺ − s(a, p), 0)² + max(s(a, n) − (1 + ε) s̄⁻, 0)²
 *
 * Yu and Tao, "Deep Metric Learning with Tuplet Margin Loss", 2019, eq. 11 and 12.
 *
 * @throws UsageError if the metric is not cosine or an ε is negative.
 */
export function intraPairVariance({
  metric = cosine,
  posEps = 0.01,
  negEps = 0.01,
  mining = all(),
  reduce = mean,
}: IntraPairVarianceOptions = {}): Loss {
  onlyFor(metric, cosine, 'intraPairVariance')
  checkNotNegative({ posEps, negEps })
  return fromRows({
    name: 'intraPairVariance',
    metric,
    settings: { posEps, negEps },
    mining,
    reduce,
    formula({ distances, positive, negative }) {
      const near = distances.neg().add(1)
      const average = (weight: Value) => near.mul(weight).sum().div(weight.sum().maximum(1))
      const below = average(positive)
        .mul(1 - posEps)
        .sub(near)
      const above = near.sub(average(negative).mul(1 + negEps))
      return [
        { terms: below.relu().square(), weight: positive },
        { terms: above.relu().square(), weight: negative },
      ]
    },
  })
}
