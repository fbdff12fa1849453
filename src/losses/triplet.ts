/** The triplet loss. */

import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkMargin } from './checks.ts'
import { fromFormula } from './from-formula.ts'
import type { Loss, Reducer, TripletFormula } from './loss.ts'
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
  /** Takes d(p, n) in place of d(a, n) where that is smaller; false if left out. */
  readonly swap?: boolean
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/** How a formula of one's own is carried out. */
export interface TripletFormulaOptions extends Pick<TripletOptions, 'metric' | 'mining' | 'reduce'> {}

/**
 * Triplet loss: a positive must be closer to the anchor than a negative, by a margin.
 *
 *   L = max(d(a, p) − d(a, n) + margin, 0)
 *
 * Schroff, Kalenichenko, Philbin, "FaceNet", 2015, eq. 3, for any metric; the swap is that of Balntas, Riba, Ponsa,
 * Mikolajczyk, "Learning local feature descriptors with triplets and shallow convolutional neural networks", 2016. A labelled batch may have classes of any sizes;
 * over all its triplets, memory grows with the square of the batch.
 *
 * A formula of one's own over d(a, p) and d(a, n) in place of the hinge is mined, reduced and worked through in the same
 * way: `triplet(({ ap, an }) => ap.sub(an).add(0.2).relu(), { metric })`.
 *
 * @throws UsageError if the margin is negative or wider than the metric's range; when it is built, if a formula does not
 *   give each triplet a term.
 */
export function triplet(options?: TripletOptions): Loss
export function triplet(formula: TripletFormula, options?: TripletFormulaOptions): Loss
export function triplet(first: TripletOptions | TripletFormula = {}, options?: TripletFormulaOptions): Loss {
  return typeof first === 'function' ? own(first, options) : hinge(first)
}

function own(
  formula: TripletFormula,
  { metric = cosine, mining = all(), reduce = meanNonZero }: TripletFormulaOptions = {},
): Loss {
  return fromFormula({ name: 'triplet', metric, settings: { formula: String(formula) }, formula, mining, reduce })
}

function hinge({
  metric = cosine,
  margin = 0.2,
  smooth = false,
  swap = false,
  mining = all(),
  reduce = meanNonZero,
}: TripletOptions): Loss {
  checkMargin(margin, metric)
  return fromFormula({
    name: 'triplet',
    metric,
    settings: { margin, smooth, swap },
    formula(distances) {
      const { ap, an } = distances
      // The margin joins the smaller tensor, so that the large one is visited less often.
      const violation = ap.add(margin).sub(swap ? an.minimum(distances.pn) : an)
      return smooth ? violation.softplus() : violation.relu()
    },
    mining,
    reduce,
    sorted: (batch) => (!smooth && !swap && batch.mostPositives > VISIT_UP_TO ? sortedHinge(batch, margin) : undefined),
  })
}
