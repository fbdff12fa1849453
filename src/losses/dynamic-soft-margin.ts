/** The dynamic soft margin loss. */
import { UsageError } from '../errors.ts'
import { zeros } from '../graph/gradients/rule.ts'
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { chord } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkCount } from '../settings.ts'
import { rowsOf } from './batch.ts'
import { pickedRows } from './from-rows.ts'
import { binOf } from './histograms.ts'
import type { Loss } from './loss.ts'
import { overSlots } from './over-slots.ts'

export interface DynamicSoftMarginOptions {
  /** Smaller is closer, and at least 0; `chord` if left out. */
  readonly metric?: Metric
  /** The least difference d(a, p) − d(a, n) that is told apart, below 0; the greatest is its opposite. −2 if left out. */
  readonly minValue?: number
  /** Into how many bins differences are sorted; 10 if left out. */
  readonly bins?: number
  /** How much a batch counts beside those before, above 0 and at most 1; 0.01 if left out. */
  readonly momentum?: number
  readonly mining?: Miner
}

/**
 * Dynamic soft margin loss: every triplet weighted by the share of triplets that are no harder, from a running histogram.
 * Trivial triplets fade by themselves, and there is no margin to choose.
 *
 *   L = mean of w(x) x, x = d(a, p) − d(a, n), w(x) = Σ_{r ≤ bin of x} hᵣ
 *
 * Zhang and Rusinkiewicz, "Learning Local Descriptors with a CDF-Based Dynamic Soft Margin", 2019, eq. 2 to 4. The histogram
 * is carried from step to step; the first batch is counted alone.
 *
 * @throws UsageError if a setting is out of range.
 */
export function dynamicSoftMargin({
  metric = chord,
  minValue = -2,
  bins = 10,
  momentum = 0.01,
  mining = all(),
}: DynamicSoftMarginOptions = {}): Loss {
  checkCount({ bins }, 2)
  if (!(minValue < 0)) throw new UsageError(`minValue is ${minValue}; expected a number below 0.`)
  if (!(momentum > 0 && momentum <= 1)) {
    throw new UsageError(`The momentum is ${momentum}; expected above 0 and at most 1.`)
  }
  const width = (-2 * minValue) / bins
  const edges = bins + 1

  /** For each anchor: how many triplets lie at each edge, and the sum of x of those in the bin above it: [n, 2 · edges]. */
  function countedAndSummed(ap: Value, an: Value, counted: Value): Value {
    const difference = ap.sub(an)
    const n = difference.shape[0]!
    const { bin, rest } = binOf(difference.sub(minValue).div(width), bins)
    const [place, upper, weight, x] = [bin, rest.mul(counted), counted, difference.mul(counted)].map((value) =>
      value.reshape([n, -1]),
    ) as [Value, Value, Value, Value]
    return zeros([n, 2 * edges], ap.detach())
      .scatterAdd(place, weight.sub(upper), 1)
      .scatterAdd(place.add(1), upper, 1)
      .scatterAdd(place.add(edges), x, 1)
  }

  return {
    name: 'dynamicSoftMargin',
    metric,
    settings: { minValue, bins, momentum, mining: mining.name },
    over: 'batch',
    withMining: (other) => dynamicSoftMargin({ metric, minValue, bins, momentum, mining: other }),
    variables: () => ({
      histogram: { dtype: 'float32', shape: [edges], data: new Float32Array(edges), trained: false },
    }),
    build(examples, { histogram } = {}) {
      const batch = rowsOf(examples, metric, 'dynamicSoftMargin')
      const { distances, same, other } = pickedRows(batch, mining)
      const { result } = overSlots({
        distances,
        positives: same,
        negatives: other,
        mostPositives: batch.mostPositives,
        combine: 'sum',
        block: countedAndSummed,
      })
      const totals = result.sum([0])
      const [counts, sums] = [totals.slice(0, 0, edges), totals.slice(0, edges, 2 * edges)]
      const count = counts.sum().maximum(1)
      const share = counts.div(count)
      const empty = histogram?.sum().less(1e-6)
      const mixed = histogram ? histogram.mul(1 - momentum).add(share.mul(momentum)) : share
      const running = empty ? empty.where(share, mixed) : share
      const after = running.div(running.sum().maximum(1e-12))
      return {
        value: sums.mul(after.cumSum(0)).sum().div(count),
        batch,
        // A batch without triplets leaves the histogram as it was.
        ...(histogram && { state: { histogram: counts.sum().greater(0).where(after.detach(), histogram) } }),
      }
    },
  }
}
