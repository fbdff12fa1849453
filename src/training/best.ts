/** Which of the evaluations during training is the best, and whether it is worth going on. */
import { UsageError } from '../errors.ts'
import type { Evaluation, TupleEvaluation } from '../evaluation/index.ts'

export type AnyEvaluation = Evaluation | TupleEvaluation

/** What is looked at if nothing is named: the first of these that there is. */
const MEASURES = ['meanAveragePrecisionAtR', 'inOrder', 'precisionAt1', 'spearman']

export interface Best {
  /** The step whose evaluation is the best so far; undefined before the first. */
  readonly step: number | undefined
  readonly value: number | undefined
  /** @returns whether it is the best so far. */
  observe(step: number, evaluation: AnyEvaluation): boolean
  /** Whether the last evaluations, as many as patience, brought nothing better. */
  readonly isOver: boolean
}

/** @param patience how many evaluations may bring nothing better; any number if left out. */
export function bestOf(measure: string | undefined, patience = Number.POSITIVE_INFINITY): Best {
  let best: { step: number; value: number } | undefined
  let since = 0
  return {
    get step() {
      return best?.step
    },
    get value() {
      return best?.value
    },
    observe(step, evaluation) {
      const value = measureOf(evaluation, measure)
      const isBetter = best === undefined || value > best.value
      if (isBetter) best = { step, value }
      since = isBetter ? 0 : since + 1
      return isBetter
    },
    get isOver() {
      return since >= patience
    },
  }
}

/**
 * One figure of an evaluation, of which larger is better: `meanAveragePrecisionAtR`, `recallAtK.4`, …
 *
 * @throws UsageError if there is none of that name.
 */
export function measureOf(evaluation: AnyEvaluation, name: string | undefined): number {
  const measures = new Map(figures(evaluation))
  const found = measures.get(name ?? MEASURES.find((each) => measures.has(each))!)
  if (found !== undefined) return found
  throw new UsageError(
    `There is no measure ${name} of this evaluation. Choose among ${[...measures.keys()].join(', ')}.`,
  )
}

/** What of an evaluation says how good it is. */
function figures(evaluation: object, prefix = ''): [string, number][] {
  return Object.entries(evaluation).flatMap(([name, value]) => {
    if (COUNTS.has(name)) return []
    if (typeof value === 'number') return [[prefix + name, value] as [string, number]]
    return typeof value === 'object' && value !== null ? figures(value, `${prefix}${name}.`) : []
  })
}

const COUNTS = new Set(['items', 'queries', 'tuples', 'classes', 'confidence', 'perClass'])
