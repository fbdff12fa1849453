/** RMSprop. */
import type { Value } from '../graph/value.ts'
import { decayed, forEachParameter, type Optimizer } from './optimizer.ts'

export interface RmspropOptions {
  /** How slowly the mean of the squared gradients follows; 0.99 if left out. */
  readonly alpha?: number
  /** Keeps the division from zero; 1e-8 if left out. */
  readonly epsilon?: number
  /** How much of the last step is kept; 0 if left out. */
  readonly momentum?: number
  /** Added to the gradient, times the parameter; 0 if left out. */
  readonly weightDecay?: number
}

/**
 * A gradient over the root of the mean of its squares, as PyTorch defines it: v ← α v + (1 − α) g², p ← p − rate · g/(√v + ε).
 *
 * Tieleman and Hinton, "Lecture 6.5: rmsprop", 2012.
 */
export function rmsprop({
  alpha = 0.99,
  epsilon = 1e-8,
  momentum = 0,
  weightDecay = 0,
}: RmspropOptions = {}): Optimizer {
  return {
    name: 'rmsprop',
    settings: { alpha, epsilon, momentum, weightDecay },
    state: (parameters) => ({
      ...forEachParameter(parameters, 'square', (name) => parameters[name]!),
      ...(momentum > 0 && forEachParameter(parameters, 'velocity', (name) => parameters[name]!)),
    }),
    update(gradients, state, parameters, rate) {
      const next: Record<string, Value> = {}
      const kept: Record<string, Value> = {}
      for (const [name, parameter] of Object.entries(parameters)) {
        const gradient = decayed(gradients[name]!, parameter, weightDecay)
        const square = state[`square.${name}`]!.mul(alpha).add(gradient.square().mul(1 - alpha))
        kept[`square.${name}`] = square
        let step = gradient.div(square.sqrt().add(epsilon))
        if (momentum > 0) {
          step = state[`velocity.${name}`]!.mul(momentum).add(step)
          kept[`velocity.${name}`] = step
        }
        next[name] = parameter.sub(step.mul(rate))
      }
      return { parameters: next, state: kept }
    },
  }
}
