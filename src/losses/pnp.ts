/** The PNP loss: penalising the negatives before positives. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkPositive } from '../settings.ts'
import { onlyFor } from './checks.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { overSlots } from './over-slots.ts'
import { mean } from './reducers.ts'
import { ones } from './rows.ts'

export interface PnpOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /**
   * What becomes of the number R of negatives before a positive: `O` is R itself, `Ds` log(1 + R), `Dq` 1 − (1 + R)^−α, `Iu`
   * (1 + R) log(1 + R), `Ib` (bR − log(1 + bR))/b²; `O` if left out.
   */
  readonly variant?: 'O' | 'Ds' | 'Dq' | 'Iu' | 'Ib'
  /** b of `Ib`, above 0; 2 if left out. */
  readonly b?: number
  /** α of `Dq`, above 0; 1 if left out. */
  readonly alpha?: number
  /** τ, how soft counting is, above 0; 0.01 if left out. */
  readonly anneal?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * PNP loss: how many negatives come before each positive in the ranking of an anchor, counted softly.
 *
 *   L = 1/|P| Σₚ f(Rₚ), Rₚ = Σₙ σ((d(a, p) − d(a, n))/τ)
 *
 * where the anchor is one of its own positives. Li, Zhu, Zheng, Song, "Rethinking the Optimization of Average Precision: Only
 * Penalizing Negative Instances before Positive Ones is Enough", 2022, eq. 7 to 12.
 *
 * @throws UsageError if the metric is not cosine, there is no such variant, or a number is not above 0.
 */
export function pnp({
  metric = cosine,
  variant = 'O',
  b = 2,
  alpha = 1,
  anneal = 0.01,
  mining = all(),
  reduce = mean,
}: PnpOptions = {}): Loss {
  onlyFor(metric, cosine, 'pnp')
  checkPositive({ b, alpha, anneal })
  const penalties: Record<NonNullable<PnpOptions['variant']>, (rank: Value) => Value> = {
    O: (rank) => rank,
    Ds: (rank) => rank.add(1).log(),
    Dq: (rank) => rank.add(1).pow(-alpha).neg().add(1),
    Iu: (rank) => rank.add(1).mul(rank.add(1).log()),
    Ib: (rank) =>
      rank
        .mul(b)
        .sub(rank.mul(b).add(1).log())
        .div(b * b),
  }
  const penalty = penalties[variant]
  if (!penalty)
    throw new UsageError(`There is no variant ${variant}. Choose among ${Object.keys(penalties).join(', ')}.`)
  return fromRows({
    name: 'pnp',
    metric,
    settings: { variant, b, alpha, anneal },
    mining,
    reduce,
    formula({ distances, same, other, batch }) {
      const { self, mostPositives } = batch
      const { result: ranks, filled } = overSlots({
        distances,
        positives: self ? same.or(self) : same,
        negatives: other,
        mostPositives: Math.min(distances.shape[1]!, mostPositives + (self ? 1 : 0)),
        combine: 'concat',
        block(ap, an, counted) {
          return ap
            .mul(1 / anneal)
            .sub(an.mul(1 / anneal))
            .sigmoid()
            .mul(counted)
            .sum([2])
        },
      })
      const count = filled.sum([1])
      const terms = penalty(ranks).mul(filled).sum([1]).div(count.maximum(1))
      return [{ terms, weight: self ? ones(distances) : count.greater(0).cast('float32') }]
    },
  })
}
