/** AdamW. */
import { type AdamOptions, adam } from './adam.ts'
import type { Optimizer } from './optimizer.ts'

export interface AdamWOptions extends AdamOptions {
  /** The share of a parameter that a step takes off, times the learning rate; 0.01 if left out. */
  readonly weightDecay?: number
}

/**
 * Adam whose weight decay does not go through the moments: p ← p − rate · weightDecay · p, and then Adam's step.
 *
 * Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2, as PyTorch has it.
 */
export function adamW({ weightDecay = 0.01, ...options }: AdamWOptions = {}): Optimizer {
  const inner = adam(options)
  return {
    name: 'adamW',
    settings: { ...inner.settings, weightDecay },
    state: inner.state,
    update(gradients, state, parameters, rate) {
      const kept = rate.mul(-weightDecay).add(1)
      const shrunk = Object.fromEntries(Object.entries(parameters).map(([name, each]) => [name, each.mul(kept)]))
      return inner.update(gradients, state, shrunk, rate)
    },
  }
}
