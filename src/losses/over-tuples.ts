/** A formula over distances, evaluated over tuples that are given one by one. */
import { constant, type Value } from '../graph/value.ts'
import type { Terms } from './loss.ts'

/** The terms [n] of n tuples, one for each anchor. */
export function overTuples(terms: Value): Terms {
  const [n] = terms.shape as [number]
  return {
    sum: terms,
    count: constant('float32', [n], Array<number>(n).fill(1)),
    active: terms.greater(0).cast('float32'),
  }
}
