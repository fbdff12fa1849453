/** The circle loss. */
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkPositive } from '../settings.ts'
import { onlyFor } from './checks.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { meanNonZero } from './reducers.ts'
import { logSumExp, ones } from './rows.ts'

export interface CircleOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /** m, how far from their ends similarities are let alone; 0.4 if left out. */
  readonly margin?: number
  /** γ > 0, the scale; 80 if left out. */
  readonly gamma?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Circle loss: every similarity is weighted by how far it is from where it should be.
 *
 *   L = log(1 + Σₙ exp(γ [s(a, n) + m]₊ (s(a, n) − m)) · Σₚ exp(−γ [1 + m − s(a, p)]₊ (s(a, p) − 1 + m)))
 *
 * Sun and others, "Circle Loss: A Unified Perspective of Pair Similarity Optimization", 2020, eq. 6 and 8, s = cos; no
 * gradient flows through the weights in brackets.
 *
 * @throws UsageError if the metric is not cosine or γ is not above 0.
 */
export function circle({
  metric = cosine,
  margin = 0.4,
  gamma = 80,
  mining = all(),
  reduce = meanNonZero,
}: CircleOptions = {}): Loss {
  onlyFor(metric, cosine, 'circle')
  checkPositive({ gamma, margin })
  return fromRows({
    name: 'circle',
    metric,
    settings: { margin, gamma },
    mining,
    reduce,
    formula({ distances, same, other }) {
      const known = distances.detach()
      const positives = known.add(margin).relu().mul(gamma).mul(distances.sub(margin))
      const negatives = known
        .neg()
        .add(1 + margin)
        .relu()
        .mul(gamma)
        .mul(distances.neg().add(1 - margin))
      const both = logSumExp(positives, same).add(logSumExp(negatives, other))
      return [{ terms: both.softplus(), weight: ones(distances) }]
    },
  })
}
