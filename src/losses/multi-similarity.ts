/** The multi-similarity loss. */
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkPositive } from '../settings.ts'
import { checkThreshold } from './checks.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'
import { logSumExp, ones } from './rows.ts'

export interface MultiSimilarityOptions {
  /** Smaller is closer; `cosine` if left out. */
  readonly metric?: Metric
  /** α > 0, how sharply far positives outweigh near ones; 2 if left out. */
  readonly alpha?: number
  /** β > 0, how sharply near negatives outweigh far ones; 50 if left out. */
  readonly beta?: number
  /** The distance from which both are told; 0.5 if left out. */
  readonly base?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Multi-similarity loss: positives farther and negatives nearer than one distance λ, the hardest of them most.
 *
 *   L = 1/α log(1 + Σₚ exp(α(d(a, p) − λ))) + 1/β log(1 + Σₙ exp(β(λ − d(a, n))))
 *
 * Wang, Han, Huang, Dong, Scott, "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning", 2019, eq. 15;
 * a similarity base s₀ of the paper is the cosine distance λ = 1 − s₀.
 *
 * @throws UsageError if α or β is not above 0, or the base is not a distance of the metric.
 */
export function multiSimilarity({
  metric = cosine,
  alpha = 2,
  beta = 50,
  base = 0.5,
  mining = all(),
  reduce = mean,
}: MultiSimilarityOptions = {}): Loss {
  checkPositive({ alpha, beta })
  checkThreshold(base, metric, 'base')
  return fromRows({
    name: 'multiSimilarity',
    metric,
    settings: { alpha, beta, base },
    mining,
    reduce,
    formula({ distances, same, other }) {
      const beyond = distances.sub(base)
      const positives = logSumExp(beyond.mul(alpha), same).softplus().div(alpha)
      const negatives = logSumExp(beyond.mul(-beta), other).softplus().div(beta)
      return [{ terms: positives.add(negatives), weight: ones(distances) }]
    },
  })
}
