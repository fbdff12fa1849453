/** The signal-to-noise contrastive loss. */
import type { Metric } from '../metrics/metric.ts'
import { snr } from '../metrics/snr.ts'
import type { Miner } from '../mining/miner.ts'
import { checkThreshold, onlyFor } from './checks.ts'
import { overPairs } from './contrastive.ts'
import type { Loss, Reducer } from './loss.ts'
import { meanNonZero } from './reducers.ts'
import { regularized } from './regularized.ts'
import { zeroMean } from './regularizers.ts'

export interface SnrContrastiveOptions {
  /** Only `snr` fits. */
  readonly metric?: Metric
  /** Positives up to this distance cost nothing; 0.01 if left out. */
  readonly posMargin?: number
  /** Negatives from this distance on cost nothing; 0.2 if left out. */
  readonly negMargin?: number
  /** λ ≥ 0, how much a mean other than zero costs; 0.1 if left out. */
  readonly regularWeight?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Signal-to-noise contrastive loss: the contrastive loss in the metric snr, with embeddings drawn to zero mean.
 *
 *   L = max(d(a, p) − posMargin, 0) + max(negMargin − d(a, n), 0) + λ/n Σᵢ |Σⱼ xᵢⱼ|
 *
 * Yuan, Deng, Tang, Tang, Chen, "Signal-to-Noise Ratio: A Robust Distance Metric for Deep Metric Learning", 2019, eq. 8.
 *
 * @throws UsageError if the metric is not snr or a margin is negative.
 */
export function snrContrastive({
  metric = snr,
  posMargin = 0.01,
  negMargin = 0.2,
  regularWeight = 0.1,
  reduce = meanNonZero,
  ...mining
}: SnrContrastiveOptions = {}): Loss {
  onlyFor(metric, snr, 'snrContrastive')
  checkThreshold(posMargin, metric, 'posMargin')
  checkThreshold(negMargin, metric, 'negMargin')
  const settings = { posMargin, negMargin, regularWeight }
  const pairs = overPairs(
    { positive: (d) => d.sub(posMargin).relu(), negative: (d) => d.neg().add(negMargin).relu() },
    { name: 'snrContrastive', settings, metric, reduce, ...mining },
  )
  return regularized(pairs, { embeddings: zeroMean(), weight: regularWeight })
}
