/** Ways of making one number of a batch's terms. */
import { UsageError } from '../errors.ts'
import { constant, type Value } from '../graph/value.ts'
import type { Reducer, Terms } from './loss.ts'

function average(sum: Value, count: Value): Value {
  return sum.sum().div(count.sum().maximum(1))
}

/** The mean over all terms; 0 where there are none. */
export const mean: Reducer = { name: 'mean', reduce: ({ sum, count }) => average(sum, count) }

/** The mean over the terms above zero, so that satisfied triplets do not dilute the others; 0 where there are none. */
export const meanNonZero: Reducer = { name: 'meanNonZero', reduce: ({ sum, active }) => average(sum, active) }

/** The sum of all terms. */
export const sum: Reducer = { name: 'sum', reduce: (terms) => terms.sum.sum() }

export interface ThresholdOptions {
  /** Terms have to be above this; −∞ if left out. */
  readonly low?: number
  /** And below this; ∞ if left out. */
  readonly high?: number
}

/**
 * The mean over the terms between two bounds; 0 where there are none. An upper one leaves out what is so hard that it is
 * likely to be labelled wrong.
 *
 * @throws UsageError if there is no bound, or nothing between them.
 */
export function threshold({ low, high }: ThresholdOptions): Reducer {
  if (low === undefined && high === undefined) throw new UsageError('A threshold needs low, high or both.')
  if (!((low ?? Number.NEGATIVE_INFINITY) < (high ?? Number.POSITIVE_INFINITY))) {
    throw new UsageError(`Nothing lies between the thresholds ${low} and ${high}; expected low below high.`)
  }
  return {
    name: 'threshold',
    keep(terms) {
      if (high === undefined) return terms.greater(low!)
      const below = terms.less(high)
      return low === undefined ? below : below.and(terms.greater(low))
    },
    reduce: mean.reduce,
  }
}

/**
 * The mean over all terms, each times the weight of its anchor's class.
 *
 * @param weights by class, from 0; classes beyond the last count as the last.
 * @throws UsageError if there is none, or one is negative; when it is built, if the examples have no labels.
 */
export function classWeighted(weights: readonly number[]): Reducer {
  if (weights.length === 0 || !weights.every((weight) => weight >= 0 && Number.isFinite(weight))) {
    throw new UsageError(`Class weights must be finite and at least 0, found [${weights.join(', ')}].`)
  }
  return {
    name: 'classWeighted',
    reduce({ sum: sums, count, labels }) {
      if (!labels) throw new UsageError('classWeighted needs labelled examples, found tuples. Use the reducer mean.')
      const table = constant('float32', [weights.length], weights)
      return average(sums.mul(table.gather(labels.minimum(weights.length - 1))), count)
    },
  }
}

/** The mean of each anchor's terms, reduced over the anchors that have any; by `mean` if left out. */
export function perAnchor(over: Reducer = mean): Reducer {
  return {
    name: 'perAnchor',
    ...(over.keep && { keep: over.keep }),
    reduce({ sum: sums, count, labels }) {
      const each = sums.div(count.maximum(1))
      const [some, active] = [count, each].map((value) => value.greater(0).cast('float32'))
      return over.reduce({ sum: each, count: some!, active: active!, labels })
    },
  }
}

/**
 * The terms of each anchor summed up.
 *
 * @param terms [n] or [n, …]
 * @param weight how much each counts, of the same shape; 0 where there is none.
 */
export function termsOf(reducer: Reducer, terms: Value, weight: Value, labels?: Value): Terms {
  const kept = reducer.keep ? weight.mul(reducer.keep(terms).cast('float32')) : weight
  const axes = terms.shape.flatMap((_, axis) => (axis > 0 ? [axis] : []))
  return {
    sum: terms.mul(kept).sum(axes),
    count: kept.sum(axes),
    active: terms.greater(0).cast('float32').mul(kept).sum(axes),
    labels,
  }
}
