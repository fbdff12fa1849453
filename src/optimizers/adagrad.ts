/** Adagrad. */
import type { Value } from '../graph/value.ts'
import { decayed, forEachParameter, type Optimizer } from './optimizer.ts'

export interface AdagradOptions {
  /** Keeps the division from zero; 1e-10 if left out. */
  readonly epsilon?: number
  /** Added to the gradient, times the parameter; 0 if left out. */
  readonly weightDecay?: number
}

/**
 * A gradient over the root of the sum of all its squares so far: v ← v + g², p ← p − rate · g/(√v + ε).
 *
 * Duchi, Hazan, Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011, as PyTorch has it.
 */
export function adagrad({ epsilon = 1e-10, weightDecay = 0 }: AdagradOptions = {}): Optimizer {
  return {
    name: 'adagrad',
    settings: { epsilon, weightDecay },
    state: (parameters) => forEachParameter(parameters, 'square', (name) => parameters[name]!),
    update(gradients, state, parameters, rate) {
      const next: Record<string, Value> = {}
      const sums: Record<string, Value> = {}
      for (const [name, parameter] of Object.entries(parameters)) {
        const gradient = decayed(gradients[name]!, parameter, weightDecay)
        const square = state[`square.${name}`]!.add(gradient.square())
        sums[`square.${name}`] = square
        next[name] = parameter.sub(gradient.div(square.sqrt().add(epsilon)).mul(rate))
      }
      return { parameters: next, state: sums }
    },
  }
}
