/** The FastAP loss. */
import type { Metric } from '../metrics/metric.ts'
import { squaredChord } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkCount } from '../settings.ts'
import { onlyFor } from './checks.ts'
import { fromRows } from './from-rows.ts'
import { histogram } from './histograms.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'
import { some } from './rows.ts'

export interface FastApOptions {
  /** Only `squaredChord` fits. */
  readonly metric?: Metric
  /** Into how many bins distances are sorted; 10 if left out. */
  readonly bins?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * FastAP: one less the average precision of each query, over distances that are sorted into bins softly.
 *
 *   L = 1 − 1/|P| Σⱼ h⁺ⱼ H⁺ⱼ / Hⱼ
 *
 * with the histogram of positives h⁺ and the running sums H⁺ of it and H of all. Cakir, He, Xia, Kulis, Sclaroff, "Deep
 * Metric Learning to Rank", 2019, eq. 9.
 *
 * @throws UsageError if the metric is not squaredChord or there is no bin.
 */
export function fastAP({ metric = squaredChord, bins = 10, mining = all(), reduce = mean }: FastApOptions = {}): Loss {
  onlyFor(metric, squaredChord, 'fastAP')
  checkCount({ bins })
  return fromRows({
    name: 'fastAP',
    metric,
    settings: { bins },
    mining,
    reduce,
    formula({ distances, same, other, positive, positives: own }) {
      const places = distances.mul(bins / 4)
      const positives = histogram(own.pick(places), own.weight.greater(0).cast('float32'), bins)
      const negatives = histogram(places, other.cast('float32'), bins)
      const [upTo, all] = [positives.cumSum(1), positives.add(negatives).cumSum(1)]
      const filled = all.greater(1e-12)
      const precision = positives.mul(upTo).div(filled.where(all, 1))
      const count = same.cast('float32').sum([1]).maximum(1)
      return [{ terms: precision.sum([1]).div(count).neg().add(1), weight: some(positive) }]
    },
  })
}
