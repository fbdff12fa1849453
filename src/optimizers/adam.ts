/** Adam. */
import type { Value } from '../graph/value.ts'
import { decayed, forEachParameter, type Optimizer } from './optimizer.ts'

export interface AdamOptions {
  /** How slowly the mean of the gradients follows; 0.9 if left out. */
  readonly beta1?: number
  /** How slowly the mean of their squares follows; 0.999 if left out. */
  readonly beta2?: number
  /** Keeps the division from zero; 1e-8 if left out. */
  readonly epsilon?: number
  /** Added to the gradient, times the parameter; 0 if left out. */
  readonly weightDecay?: number
  /** Divide by the largest second moment so far, not by the latest; false if left out. */
  readonly amsgrad?: boolean
}

/**
 * Adam, as PyTorch defines it. Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1, with the
 * corrections 1 − βᵗ moved to the step's scalar factor, as at the end of its section 2. AMSGrad: Reddi, Kale, Kumar, "On the
 * Convergence of Adam and Beyond", 2018, algorithm 2, with those corrections.
 */
export function adam({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0,
  amsgrad = false,
}: AdamOptions = {}): Optimizer {
  return {
    name: 'adam',
    settings: { beta1, beta2, epsilon, weightDecay, amsgrad },
    state: (parameters) => ({
      correction1: [],
      correction2: [],
      ...forEachParameter(parameters, 'mean', (name) => parameters[name]!),
      ...forEachParameter(parameters, 'square', (name) => parameters[name]!),
      ...(amsgrad && forEachParameter(parameters, 'largest', (name) => parameters[name]!)),
    }),
    update(gradients, state, parameters, rate) {
      // 1 − βᵗ, from the one before: a float32 power subtracted from 1 would lose the digits that count at first.
      const correction1 = state.correction1!.mul(beta1).add(1 - beta1)
      const correction2 = state.correction2!.mul(beta2).add(1 - beta2)
      // The moments are kept without their factors 1 − β, which save two passes over every parameter here.
      const root = correction2.div(1 - beta2).sqrt()
      const factor = rate
        .mul(1 - beta1)
        .mul(root)
        .div(correction1)
      const floor = root.mul(epsilon)
      const next: Record<string, Value> = {}
      const moments: Record<string, Value> = { correction1, correction2 }
      for (const [name, parameter] of Object.entries(parameters)) {
        const gradient = decayed(gradients[name]!, parameter, weightDecay)
        const mean = state[`mean.${name}`]!.mul(beta1).add(gradient)
        const square = state[`square.${name}`]!.mul(beta2).add(gradient.square())
        const divisor = amsgrad ? square.maximum(state[`largest.${name}`]!) : square
        if (amsgrad) moments[`largest.${name}`] = divisor
        next[name] = parameter.sub(mean.div(divisor.sqrt().add(floor)).mul(factor))
        moments[`mean.${name}`] = mean
        moments[`square.${name}`] = square
      }
      return { parameters: next, state: moments }
    },
  }
}
