/** Soft histograms: each value counts for the two edges that it lies between, in proportion. */
import { zeros } from '../graph/gradients/rule.ts'
import type { Value } from '../graph/value.ts'

/** The bin that a place from 0 to `bins` lies in (int64), and how far on its way through it is. */
export function binOf(places: Value, bins: number): { bin: Value; rest: Value } {
  const bin = places
    .detach()
    .maximum(0)
    .minimum(bins - 1e-3)
    .cast('int64')
  return { bin, rest: places.sub(bin.cast('float32')) }
}

/**
 * One histogram for each row.
 *
 * @param places [n, m] from 0 to `bins`.
 * @param weight [n, m]
 * @returns [n, bins + 1], at the edges 0, 1, … of the bins.
 */
export function histogram(places: Value, weight: Value, bins: number): Value {
  const { bin, rest } = binOf(places, bins)
  const upper = rest.mul(weight)
  const empty = zeros([places.shape[0]!, bins + 1], places.detach())
  return empty.scatterAdd(bin, weight.sub(upper), 1).scatterAdd(bin.add(1), upper, 1)
}
