/** The ranked list loss. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { chord } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkMargin, checkThreshold } from './checks.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'
import { ones } from './rows.ts'

export interface RankedListOptions {
  /** Smaller is closer; `chord` if left out. */
  readonly metric?: Metric
  /** How far apart positives and negatives should be; 0.4 if left out. */
  readonly margin?: number
  /** α, from where on negatives cost nothing; 1.2 if left out. */
  readonly alpha?: number
  /** How much negatives weigh beside positives, from 0 to 1; 0.5 if left out. */
  readonly imbalance?: number
  /** How sharply near negatives outweigh far ones, 0 to 20; 10 if left out. */
  readonly negTemperature?: number
  /** How sharply far positives outweigh near ones, 0 to 20; 0 if left out. */
  readonly posTemperature?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/** Keeps a division by no weight at all at zero. */
const LEAST = 1e-5

/**
 * Ranked list loss: positives within α − margin, negatives beyond α, each a weighted mean over those that are not.
 *
 *   L = (1 − λ) Σₚ wₚ (d(a, p) − (α − m)) / Σₚ wₚ + λ Σₙ wₙ (α − d(a, n)) / Σₙ wₙ
 *   wₚ = exp(Tₚ (d(a, p) − (α − m))), wₙ = exp(Tₙ (α − d(a, n)))
 *
 * Wang, Hua, Kodirov, Hu, Garnier, Robertson, "Ranked List Loss for Deep Metric Learning", 2019, eq. 5 to 8.
 *
 * @throws UsageError if a setting is out of range.
 */
export function rankedList({
  metric = chord,
  margin = 0.4,
  alpha = 1.2,
  imbalance = 0.5,
  negTemperature = 10,
  posTemperature = 0,
  mining = all(),
  reduce = mean,
}: RankedListOptions = {}): Loss {
  checkMargin(margin, metric)
  checkThreshold(alpha, metric, 'alpha')
  if (!(imbalance >= 0 && imbalance <= 1)) throw new UsageError(`imbalance is ${imbalance}; expected 0 to 1.`)
  for (const [name, value] of Object.entries({ negTemperature, posTemperature })) {
    if (!(value >= 0 && value <= 20)) throw new UsageError(`${name} is ${value}; expected 0 to 20.`)
  }
  return fromRows({
    name: 'rankedList',
    metric,
    settings: { margin, alpha, imbalance, negTemperature, posTemperature },
    mining,
    reduce,
    formula({ distances, same, other }) {
      const m = distances.shape[1]!
      const part = (violation: Value, picked: Value, temperature: number) => {
        const counted = picked.and(violation.greater(0)).cast('float32')
        // Violations are taken as 0 where they do not count, so that no exponential overflows there.
        const size = violation.mul(counted)
        const weight = temperature === 0 ? counted : size.mul(temperature).exp().mul(counted)
        return weight
          .mul(size)
          .sum([1])
          .div(weight.sum([1]).add(LEAST * m))
      }
      const positives = part(distances.sub(alpha - margin), same, posTemperature)
      const negatives = part(distances.neg().add(alpha), other, negTemperature)
      const terms = positives.mul(1 - imbalance).add(negatives.mul(imbalance))
      return [{ terms, weight: ones(distances) }]
    },
  })
}
