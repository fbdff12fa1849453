/** Neighbourhood component analysis. */
import type { Metric } from '../metrics/metric.ts'
import { squaredChord } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkPositive } from '../settings.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'
import { logSumExp, some } from './rows.ts'

export interface NcaOptions {
  /** Smaller is closer; `squaredChord` if left out. */
  readonly metric?: Metric
  /** What distances are multiplied with, above 0; 1 if left out. */
  readonly softmaxScale?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Neighbourhood component analysis: the probability that a neighbour drawn by distance is of the anchor's class.
 *
 *   L = −log( Σₚ exp(−s·d(a, p)) / Σₓ exp(−s·d(a, x)) )
 *
 * Goldberger, Hinton, Roweis, Salakhutdinov, "Neighbourhood Components Analysis", 2004, eq. 3 and 5 with the logarithm.
 *
 * @throws UsageError if the scale is not above 0.
 */
export function nca({ metric = squaredChord, softmaxScale = 1, mining = all(), reduce = mean }: NcaOptions = {}): Loss {
  checkPositive({ softmaxScale })
  return fromRows({
    name: 'nca',
    metric,
    settings: { softmaxScale },
    mining,
    reduce,
    formula({ distances, same, other, positive }) {
      const closeness = distances.mul(-softmaxScale)
      const [own, all] = [logSumExp(closeness, same), logSumExp(closeness, same.or(other))]
      const weight = some(positive)
      return [{ terms: weight.greater(0).where(all.sub(own), 0), weight }]
    },
  })
}
