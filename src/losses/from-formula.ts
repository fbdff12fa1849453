/** A loss that is a formula over the distances of a triplet: the base of ours, and what a person's own is made with. */
import type { Loss, Settings } from './loss.ts'
import { type OverTriplets, tripletTerms } from './over-triplets.ts'

export interface FormulaLoss extends OverTriplets {
  readonly settings: Settings
}

export function fromFormula(options: FormulaLoss): Loss {
  const { name, metric, settings, formula, mining, reduce } = options
  return {
    name,
    metric,
    settings: { ...settings, mining: mining.name, reduce: reduce.name },
    over: 'triplets',
    formula,
    withMining: (other) => fromFormula({ ...options, mining: other }),
    build(examples) {
      const made = tripletTerms(options, examples)
      return { value: reduce.reduce(made.terms), ...made }
    },
  }
}
