/** What an optimiser is: an update rule, as pure functions from values to values. */

import type { Value } from '../graph/value.ts'
import type { Shape } from '../tensor.ts'

export type Shapes = Readonly<Record<string, Shape>>
export type Values = Readonly<Record<string, Value>>

export interface Optimizer {
  readonly name: string
  readonly settings: Readonly<Record<string, number | boolean | string>>
  /** The shapes of the optimiser's own state for parameters of these shapes. It starts at zero. */
  state(parameters: Shapes): Shapes
  /** One step. `gradients` and `parameters` have the same names; `rate` is the learning rate, a scalar. */
  update(gradients: Values, state: Values, parameters: Values, rate: Value): { parameters: Values; state: Values }
}

/** For each parameter, something under a name of its own. */
export function forEachParameter<T>(
  parameters: Readonly<Record<string, unknown>>,
  kind: string,
  make: (name: string) => T,
) {
  return Object.fromEntries(Object.keys(parameters).map((name) => [`${kind}.${name}`, make(name)]))
}

/** A gradient with the parameter's own weight in it, which pulls it towards zero. */
export function decayed(gradient: Value, parameter: Value, weightDecay: number): Value {
  return weightDecay > 0 ? gradient.add(parameter.mul(weightDecay)) : gradient
}
