/** The quadruplet loss. */
import { UsageError } from '../errors.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { checkMargin } from './checks.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean, termsOf } from './reducers.ts'
import { ones } from './rows.ts'

export interface QuadrupletOptions {
  /** Smaller is closer; `cosine` if left out. */
  readonly metric?: Metric
  /** How much closer the positive has to be than the negative, in the metric's unit; 0.2 if left out. */
  readonly margin?: number
  /** How much closer it has to be than two negatives are to each other; half of `margin` if left out. */
  readonly margin2?: number
  readonly reduce?: Reducer
}

/**
 * Quadruplet loss: a positive must be closer to the anchor than a negative is, and than two negatives are to each other.
 *
 *   L = max(d(a, p) − d(a, n) + margin, 0) + max(d(a, p) − d(n, o) + margin2, 0)
 *
 * Chen, Chen, Zhang, Huang, "Beyond triplet loss: a deep quadruplet network for person re-identification", 2017, eq. 7,
 * for any metric, over tuples (anchor, positive, negative, second negative).
 *
 * @throws UsageError if a margin is negative or wider than the metric's range; when it is built, if the examples are not
 *   tuples with a second negative.
 */
export function quadruplet({
  metric = cosine,
  margin = 0.2,
  margin2 = margin / 2,
  reduce = mean,
}: QuadrupletOptions = {}): Loss {
  checkMargin(margin, metric)
  checkMargin(margin2, metric)
  return {
    name: 'quadruplet',
    metric,
    settings: { margin, margin2, reduce: reduce.name },
    build(examples) {
      if (examples.kind !== 'tuples' || !examples.secondNegative) {
        throw new UsageError(
          'quadruplet needs tuples of anchor, positive, negative and secondNegative. Give all four, or use the loss triplet.',
        )
      }
      const { anchor, positive, negative, secondNegative } = examples
      const ap = metric.pairwise(anchor, positive)
      const first = ap.sub(metric.pairwise(anchor, negative)).add(margin).relu()
      const second = ap.sub(metric.pairwise(negative, secondNegative)).add(margin2).relu()
      const both = first.add(second)
      const terms = termsOf(reduce, both, ones(both))
      return { value: reduce.reduce(terms), terms }
    },
  }
}
