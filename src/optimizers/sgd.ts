/** Stochastic gradient descent. */
import type { Value } from '../graph/value.ts'
import { decayed, forEachParameter, type Optimizer } from './optimizer.ts'

export interface SgdOptions {
  /** How much of the last step is kept; 0 if left out. */
  readonly momentum?: number
  /** Look ahead along the momentum; false if left out. */
  readonly nesterov?: boolean
  /** Added to the gradient, times the parameter; 0 if left out. */
  readonly weightDecay?: number
}

/**
 * Gradient descent with momentum, as PyTorch defines it: b ← momentum · b + g, p ← p − rate · b; with Nesterov's momentum
 * p ← p − rate · (g + momentum · b). Sutskever, Martens, Dahl, Hinton, 2013, without their scaling of b by the rate.
 */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer {
  return {
    name: 'sgd',
    settings: { momentum, nesterov, weightDecay },
    state: (parameters) => (momentum > 0 ? forEachParameter(parameters, 'velocity', (name) => parameters[name]!) : {}),
    update(gradients, state, parameters, rate) {
      const next: Record<string, Value> = {}
      const velocities: Record<string, Value> = {}
      for (const [name, parameter] of Object.entries(parameters)) {
        let step = decayed(gradients[name]!, parameter, weightDecay)
        if (momentum > 0) {
          const velocity = state[`velocity.${name}`]!.mul(momentum).add(step)
          velocities[`velocity.${name}`] = velocity
          step = nesterov ? step.add(velocity.mul(momentum)) : velocity
        }
        next[name] = parameter.sub(step.mul(rate))
      }
      return { parameters: next, state: velocities }
    },
  }
}
