/** Ways of making one number of a batch's terms. */
import type { Value } from '../graph/value.ts'
import type { Reducer } from './loss.ts'

function average(sum: Value, count: Value): Value {
  return sum.sum().div(count.sum().maximum(1))
}

/** The mean over all terms; 0 where there are none. */
export const mean: Reducer = { name: 'mean', reduce: ({ sum, count }) => average(sum, count) }

/** The mean over the terms above zero, so that satisfied triplets do not dilute the others; 0 where there are none. */
export const meanNonZero: Reducer = { name: 'meanNonZero', reduce: ({ sum, active }) => average(sum, active) }
