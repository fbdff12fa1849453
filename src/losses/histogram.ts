/** The histogram loss. */
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkCount } from '../settings.ts'
import { onlyFor } from './checks.ts'
import { fromRows } from './from-rows.ts'
import { histogram as histogramOf } from './histograms.ts'
import type { Loss } from './loss.ts'
import { sum } from './reducers.ts'
import { ones, some } from './rows.ts'

export interface HistogramOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /** Into how many bins similarities from −1 to 1 are sorted; 100 if left out. */
  readonly bins?: number
  readonly mining?: Miner
}

/**
 * Histogram loss: the probability that a random negative is more similar than a random positive, over soft histograms.
 *
 *   L = Σᵣ h⁻ᵣ Σ_{q ≤ r} h⁺_q
 *
 * Ustinova and Lempitsky, "Learning Deep Embeddings with Histogram Loss", 2016, eq. 3 to 6. It is one number for a batch;
 * nothing is reduced.
 *
 * @throws UsageError if the metric is not cosine or there is no bin.
 */
export function histogram({ metric = cosine, bins = 100, mining = all() }: HistogramOptions = {}): Loss {
  onlyFor(metric, cosine, 'histogram')
  checkCount({ bins })
  return fromRows({
    name: 'histogram',
    metric,
    settings: { bins },
    mining,
    reduce: sum,
    formula({ distances, positive, negative, positives: own }) {
      const places = distances
        .neg()
        .add(2)
        .mul(bins / 2)
      const share = (values: Value, weight: Value) => {
        const counts = histogramOf(values, weight, bins).sum([0], true)
        return counts.div(weight.sum().maximum(1))
      }
      const positives = share(own.pick(places), own.weight)
      // Negatives of anchors without a positive are in no triplet.
      const negatives = share(places, negative.mul(some(positive).unsqueeze([1])))
      return [{ terms: negatives.mul(positives.cumSum(1)).sum([1]), weight: ones(negatives) }]
    },
  })
}
