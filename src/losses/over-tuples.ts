/** The terms of tuples that are given one by one. */
import { constant, type Value } from '../graph/value.ts'
import type { Reducer, Terms } from './loss.ts'
import { termsOf } from './reducers.ts'

/** @param terms [n], one for each tuple. */
export function overTuples(reducer: Reducer, terms: Value): Terms {
  const [n] = terms.shape as [number]
  return termsOf(reducer, terms, constant('float32', [n], Array<number>(n).fill(1)))
}
