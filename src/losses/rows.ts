/** What formulas over rows are made of. */
import { zeros } from '../graph/gradients/rule.ts'
import { constant, type Value } from '../graph/value.ts'
import { FAR } from '../mining/extremes.ts'

/** 0 where a condition holds, −FAR elsewhere: adding it is several times faster than choosing. Made once for a condition. */
const barriers = new WeakMap<Value, Value>()

function barrier(picked: Value): Value {
  const known = barriers.get(picked)
  if (known) return known
  const made = picked.cast('float32').sub(1).mul(FAR)
  barriers.set(picked, made)
  return made
}

/**
 * log Σ exp(x) over the elements of each row [n, m] that a condition picks: [n]. Where it picks none, about −1e30, through which
 * no gradient may flow: what follows has to be flat there, as exp, relu and softplus are.
 */
export function logSumExp(x: Value, picked: Value): Value {
  return x.add(barrier(picked)).logSumExp([1])
}

/** log(exp(a) + exp(b)) */
export function logAddExp(a: Value, b: Value): Value {
  return a.maximum(b).add(a.sub(b).abs().neg().softplus())
}

/** Whether a row has any: 1 or 0 for each [n]. */
export function some(weight: Value): Value {
  return weight.max([1]).greater(0).cast('float32')
}

/** 1 for each row of x: [n]. */
export function ones(x: Value): Value {
  const n = x.shape[0]!
  return constant('float32', [n], Array<number>(n).fill(1))
}

/** 1 − |s| up to this counts as 0, where the slope of the root would be infinite. */
const ROUNDING = 1e-6

/** sin θ of cos θ, from 0 to 1; without a slope where directions are the same or opposite. */
export function sineOf(cosine: Value): Value {
  const square = cosine.square().neg().add(1)
  return square.greater(ROUNDING).where(square, 0).sqrt()
}

/**
 * 0, 1, … as int32 [count], or from another number on. They hang on a value that only a run knows: of constants alone, the
 * runtime would fold and keep whatever matrix is made of them.
 */
export function numbers(count: number, known: Value, first = 0): Value {
  const values = Array.from({ length: count }, (_, i) => i + first)
  return constant('int32', [count], values).add(zeros([1], known, 'int32'))
}
