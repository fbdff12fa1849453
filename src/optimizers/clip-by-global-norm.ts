/** Gradients that are kept from growing too large. */
import { UsageError } from '../errors.ts'
import { scalar } from '../graph/value.ts'
import type { Optimizer } from './optimizer.ts'

/** Keeps the division from zero, as PyTorch does. */
const TINY = 1e-6

/**
 * An optimiser whose gradients, all parameters together, have a norm of at most `norm`: longer ones are scaled down, and keep
 * their direction. Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013, algorithm 1.
 *
 * @throws UsageError if the norm is not above 0.
 */
export function clipByGlobalNorm(optimizer: Optimizer, norm: number): Optimizer {
  if (!(norm > 0) || !Number.isFinite(norm)) {
    throw new UsageError(`Gradients are clipped to a norm above 0, found ${norm}.`)
  }
  return {
    name: optimizer.name,
    settings: { ...optimizer.settings, clipGlobalNorm: norm },
    state: optimizer.state,
    update(gradients, state, parameters, rate) {
      const total = Object.values(gradients)
        .map((gradient) => gradient.sumSquare())
        .reduce((sum, each) => sum.add(each), scalar(0))
        .sqrt()
      const factor = total.add(TINY).reciprocal().mul(norm).minimum(1)
      const clipped = Object.fromEntries(Object.entries(gradients).map(([name, each]) => [name, each.mul(factor)]))
      return optimizer.update(clipped, state, parameters, rate)
    },
  }
}
