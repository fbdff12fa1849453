/** The contrastive loss. */
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkMargin, checkThreshold } from './checks.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer, Settings } from './loss.ts'
import { meanNonZero } from './reducers.ts'

export interface ContrastiveOptions {
  /** Smaller is closer; `cosine` if left out. */
  readonly metric?: Metric
  /** Positives up to this distance cost nothing; 0 if left out. */
  readonly posMargin?: number
  /** Negatives from this distance on cost nothing; 1 if left out, a right angle in cosine. */
  readonly negMargin?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/** From the distance of a pair to its term, for each sign. */
export interface PairFormula {
  positive(distance: Value): Value
  negative(distance: Value): Value
}

/** How a formula of one's own is carried out. */
export interface PairFormulaOptions extends Pick<ContrastiveOptions, 'metric' | 'mining' | 'reduce'> {}

/**
 * Contrastive loss: positives closer than one distance, negatives farther than another. Each sign is reduced on its own.
 *
 *   L = max(d(a, p) − posMargin, 0) + max(negMargin − d(a, n), 0)
 *
 * Hadsell, Chopra, LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", 2006, without the squares.
 *
 * A formula of one's own over the distance of a pair takes its place: `contrastive({ positive, negative }, { metric })`.
 *
 * @throws UsageError if a margin is not a distance that the metric can have.
 */
export function contrastive(options?: ContrastiveOptions): Loss
export function contrastive(formula: PairFormula, options?: PairFormulaOptions): Loss
export function contrastive(first: ContrastiveOptions | PairFormula = {}, options: PairFormulaOptions = {}): Loss {
  if ('positive' in first) {
    const settings = { positive: String(first.positive), negative: String(first.negative) }
    return overPairs(first, { name: 'contrastive', settings, ...options })
  }
  const { metric = cosine, posMargin = Math.max(0, metric.range[0]), negMargin = 1, ...rest } = first
  checkThreshold(posMargin, metric, 'posMargin')
  checkThreshold(negMargin, metric, 'negMargin')
  if (Number.isFinite(metric.range[0])) checkMargin(Math.max(0, negMargin - metric.range[0]), metric)
  return overPairs(
    { positive: (d) => d.sub(posMargin).relu(), negative: (d) => d.neg().add(negMargin).relu() },
    { name: 'contrastive', settings: { posMargin, negMargin }, metric, ...rest },
  )
}

interface OverPairs extends PairFormulaOptions {
  readonly name: string
  readonly settings: Settings
}

/** A formula over the distances of pairs, each sign reduced on its own. */
export function overPairs(
  { positive, negative }: PairFormula,
  { name, settings, metric = cosine, mining = all(), reduce = meanNonZero }: OverPairs,
): Loss {
  return fromRows({
    name,
    metric,
    settings,
    mining,
    reduce,
    formula: (rows) => [
      { terms: positive(rows.distances), weight: rows.positive },
      { terms: negative(rows.distances), weight: rows.negative },
    ],
  })
}
