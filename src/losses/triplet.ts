/** The triplet loss. */

import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import type { Batch } from './batch.ts'
import type { Loss, Reducer } from './loss.ts'
import { checkMargin } from './margin.ts'
import { type TripletFormula, tripletTerms } from './over-triplets.ts'
import { meanNonZero } from './reducers.ts'
import { sortedHinge } from './sorted-hinge.ts'

/** Up to this many positives an anchor, visiting all triplets is faster than sorting; see bench/README.md. */
const VISIT_UP_TO = 7

export interface TripletOptions {
  /** Smaller is closer; `cosine` if left out. */
  readonly metric?: Metric
  /** How much closer the positive has to be, in the metric's unit; 0.2 if left out. */
  readonly margin?: number
  /** log(1 + exp(x)) in place of the hinge max(x, 0); false if left out. */
  readonly smooth?: boolean
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Triplet loss: a positive must be closer to the anchor than a negative, by a margin.
 *
 *   L = max(d(a, p) − d(a, n) + margin, 0)
 *
 * Schroff, Kalenichenko, Philbin, "FaceNet", 2015, eq. 3, for any metric. A labelled batch may have classes of any sizes;
 * over all its triplets, memory grows with the square of the batch.
 *
 * @throws UsageError if the margin is negative or wider than the metric's range.
 */
export function triplet({
  metric = cosine,
  margin = 0.2,
  smooth = false,
  mining = all(),
  reduce = meanNonZero,
}: TripletOptions = {}): Loss {
  checkMargin(margin, metric)
  return {
    name: 'triplet',
    metric,
    settings: { margin, smooth, mining: mining.name, reduce: reduce.name },
    build(examples) {
      const formula: TripletFormula = ({ ap, an }) => {
        // The margin joins the smaller tensor, so that the large one is visited less often.
        const violation = ap.add(margin).sub(an)
        return smooth ? violation.softplus() : violation.relu()
      }
      const sorted = (batch: Batch) =>
        !smooth && batch.mostPositives > VISIT_UP_TO ? sortedHinge(batch, margin) : undefined
      const { terms, statistics } = tripletTerms(formula, examples, metric, mining, sorted)
      const activeTriplets = terms.active.sum().div(terms.count.sum().maximum(1))
      return { value: reduce.reduce(terms), terms, statistics: { activeTriplets, ...statistics } }
    },
  }
}
