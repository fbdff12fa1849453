/** The lifted structure loss and its generalisation. */

import { euclidean } from '../metrics/euclidean.ts'
import type { Metric } from '../metrics/metric.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkThreshold } from './checks.ts'
import { fromRows, type Part, type Rows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'
import { logAddExp, logSumExp, ones } from './rows.ts'

export interface LiftedStructureOptions {
  /** Smaller is closer; `euclidean` if left out. */
  readonly metric?: Metric
  /** Taken off the distance of positives; 0 if left out. */
  readonly posMargin?: number
  /** How far negatives should be; 1 if left out. */
  readonly negMargin?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Lifted structure loss: each positive pair against the negatives of both of its ends.
 *
 *   L = ½ max(log(Σₙ exp(m − d(a, n)) + Σₙ exp(m − d(p, n))) + d(a, p) − posMargin, 0)²
 *
 * Oh Song, Xiang, Jegelka, Savarese, "Deep Metric Learning via Lifted Structured Feature Embedding", 2016, eq. 4.
 *
 * @throws UsageError if `negMargin` is not a distance of the metric.
 */
export function liftedStructure(options: LiftedStructureOptions = {}): Loss {
  return lifted('liftedStructure', options, ({ distances, other, positives, batch }, posMargin, negMargin) => {
    const room = distances.neg().add(negMargin)
    const ofAnchor = logSumExp(room, other).unsqueeze([1])
    const ofPositive = batch.pn
      ? batch.pn.neg().add(negMargin)
      : positives.pick(logSumExp(room.transpose(), other.transpose()).unsqueeze([0]))
    const violation = logAddExp(ofAnchor, ofPositive).add(positives.pick(distances)).sub(posMargin).relu()
    return { terms: violation.square().div(2), weight: positives.weight }
  })
}

/**
 * The lifted structure loss over all positives of an anchor at once.
 *
 *   L = max(log Σₚ exp(d(a, p) − posMargin) + log Σₙ exp(m − d(a, n)), 0)
 *
 * Hermans, Beyer, Leibe, "In Defense of the Triplet Loss for Person Re-Identification", 2017, eq. 8.
 *
 * @throws UsageError if `negMargin` is not a distance of the metric.
 */
export function generalizedLiftedStructure(options: LiftedStructureOptions = {}): Loss {
  return lifted('generalizedLiftedStructure', options, ({ distances, same, other }, posMargin, negMargin) => {
    const positives = logSumExp(distances.sub(posMargin), same)
    const negatives = logSumExp(distances.neg().add(negMargin), other)
    return { terms: positives.add(negatives).relu(), weight: ones(distances) }
  })
}

function lifted(
  name: string,
  { metric = euclidean, posMargin = 0, negMargin = 1, mining = all(), reduce = mean }: LiftedStructureOptions,
  part: (rows: Rows, posMargin: number, negMargin: number) => Part,
): Loss {
  checkThreshold(negMargin, metric, 'negMargin')
  return fromRows({
    name,
    metric,
    settings: { posMargin, negMargin },
    mining,
    reduce,
    formula: (rows) => [part(rows, posMargin, negMargin)],
  })
}
