/** A loss that is a formula over the distances of a triplet: the base of ours, and what a person's own is made with. */
import type { Metric } from '../metrics/metric.ts'
import type { Miner } from '../mining/miner.ts'
import type { Loss, Reducer, TripletFormula } from './loss.ts'
import { type Sorted, tripletTerms } from './over-triplets.ts'

export interface FormulaLoss {
  readonly name: string
  readonly metric: Metric
  readonly settings: Readonly<Record<string, number | string | boolean>>
  readonly formula: TripletFormula
  readonly mining: Miner
  readonly reduce: Reducer
  /** A faster way over all triplets of a labelled batch, where there is one. */
  readonly sorted?: Sorted
}

export function fromFormula(options: FormulaLoss): Loss {
  const { name, metric, settings, formula, mining, reduce, sorted } = options
  return {
    name,
    metric,
    settings: { ...settings, mining: mining.name, reduce: reduce.name },
    formula,
    withMining: (other) => fromFormula({ ...options, mining: other }),
    build(examples) {
      const made = tripletTerms(formula, examples, metric, mining, sorted)
      return { value: reduce.reduce(made.terms), ...made }
    },
  }
}
