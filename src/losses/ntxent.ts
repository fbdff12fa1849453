/** The normalised, temperature-scaled cross-entropy. */
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkPositive } from '../settings.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'
import { logSumExp } from './rows.ts'

export interface NtxentOptions {
  /** Smaller is closer; `cosine` if left out. */
  readonly metric?: Metric
  /** τ > 0: the smaller, the more the nearest negatives count; 0.07 if left out. */
  readonly temperature?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * NT-Xent, or InfoNCE: each positive against all negatives of its anchor.
 *
 *   L = −log( exp(−d(a, p)/τ) / (exp(−d(a, p)/τ) + Σₙ exp(−d(a, n)/τ)) )
 *
 * Chen, Kornblith, Norouzi, Hinton, "A Simple Framework for Contrastive Learning of Visual Representations", 2020, eq. 1;
 * for the metric cosine, −d is the cosine less a constant, which cancels.
 *
 * @throws UsageError if the temperature is not above 0.
 */
export function ntxent({
  metric = cosine,
  temperature = 0.07,
  mining = all(),
  reduce = mean,
}: NtxentOptions = {}): Loss {
  checkPositive({ temperature })
  return fromRows({
    name: 'ntxent',
    metric,
    settings: { temperature },
    mining,
    reduce,
    formula({ distances, other, positives }) {
      const closeness = distances.mul(-1 / temperature)
      const negatives = logSumExp(closeness, other).unsqueeze([1])
      return [{ terms: negatives.sub(positives.pick(closeness)).softplus(), weight: positives.weight }]
    },
  })
}
