/** Whether two items are of one class, told by their distance alone. */
import { DataError } from '../errors.ts'
import type { Metric } from '../metrics/metric.ts'
import { random } from '../random.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import { type Interval, interval } from './bootstrap.ts'
import { type CurveFigures, figuresOf, histogramOf, type RATES, rocOf, totals } from './curve.ts'
import { checkDimensions, checkEmbeddings } from './distances.ts'
import type { Comparison, LabelledEmbeddings } from './embedded.ts'
import { collectPairs, type Pairs } from './pairs.ts'

export interface VerifyOptions extends ComputeOptions {
  /** What the items are paired with; each other if left out. */
  readonly gallery?: LabelledEmbeddings | undefined
  /** Whether row i of the gallery is item i itself, differently embedded, and pairs are taken once; false if left out. */
  readonly own?: boolean | undefined
  /** How often items are drawn anew for the intervals; 200 if left out, and 0 gives none. */
  readonly resamples?: number | undefined
  /** Of what is drawn; 0 if left out. */
  readonly seed?: number | undefined
}

export interface Verification extends CurveFigures {
  /** How many pairs are of one class, and how many are not. */
  readonly pairs: { readonly same: number; readonly different: number }
  /** How far `rocAuc` can be from the exact one: 0 up to two million pairs; beyond, distances are counted in ranges. */
  readonly rocAucWithin: number
  /** Points of the curve, close enough to draw. */
  readonly roc: {
    readonly falsePositiveRate: readonly number[]
    readonly truePositiveRate: readonly number[]
    readonly threshold: readonly number[]
  }
  /** How many pairs lie between each two of the edges. */
  readonly histogram: {
    readonly edges: readonly number[]
    readonly same: readonly number[]
    readonly different: readonly number[]
  }
  readonly confidence?: VerificationIntervals
}

/** 95 % intervals under the names of the figures. */
export interface VerificationIntervals {
  readonly rocAuc: Interval
  readonly equalErrorRate: Interval
  readonly truePositiveRateAtFalsePositiveRate: Readonly<Record<(typeof RATES)[number], Interval>>
  readonly bestAccuracy: Interval
  readonly bestThreshold: Interval
}

/**
 * Tells pairs of one class from others by a threshold on their distance, over every pair of items that have a class and are
 * not of one group. The equal error rate is the mean of both rates where they are nearest; ties count half in the area.
 *
 * Intervals are of items drawn anew, in 64 shares, so that all pairs of an item come and go together: Owen, "The pigeonhole
 * bootstrap", 2007.
 *
 * @throws DataError if there are no pairs of one class, or none of different ones.
 */
export async function verify(
  embedded: LabelledEmbeddings,
  metric: Metric,
  { gallery, own, resamples = 200, seed = 0, ...compute }: VerifyOptions = {},
): Promise<Verification> {
  const pairs = await pairsOf(embedded, metric, { gallery, own, seed, ...compute })
  const { places } = pairs
  return {
    ...figuresOf(places),
    pairs: totals(places),
    rocAucWithin: pairs.exact ? 0 : withinOf(pairs),
    roc: rocOf(places),
    histogram: histogramOf(places),
    ...(resamples > 0 && { confidence: intervalsOf(resampled(pairs, resamples, seed, figuresOf)) }),
  }
}

/** @throws DataError if there are no pairs of one class, or none of different ones. */
export async function pairsOf(
  embedded: LabelledEmbeddings,
  metric: Metric,
  { gallery, own = gallery === undefined, seed = 0, ...compute }: Omit<VerifyOptions, 'resamples'>,
): Promise<Pairs> {
  const comparison: Comparison = { queries: embedded, gallery: gallery ?? embedded, own }
  checkEmbeddings(comparison.queries.embeddings, comparison.queries.labels, 'queries')
  checkEmbeddings(comparison.gallery.embeddings, comparison.gallery.labels, 'gallery')
  checkDimensions(comparison.queries.embeddings, comparison.gallery.embeddings)
  const pairs = await collectPairs(comparison, metric, random(seed, 'pairs'), compute)
  const { same, different } = totals(pairs.places)
  if (same > 0 && different > 0) return pairs
  throw new DataError(
    `There are ${same} pairs of one class and ${different} of different ones; telling them apart needs both. Give at least two classes, one of them with two items.`,
  )
}

/** What is computed of the pairs, each time that items are drawn anew and pairs of both kinds are among them. */
export function resampled<T>(pairs: Pairs, resamples: number, seed: number, of: (places: Pairs['places']) => T): T[] {
  const stream = random(seed, 'resamples of pairs')
  const found: T[] = []
  for (let i = 0; i < resamples; i++) {
    const places = pairs.resample(stream)
    const { same, different } = totals(places)
    if (same > 0 && different > 0) found.push(of(places))
  }
  return found.length > 0 ? found : [of(pairs.places)]
}

function intervalsOf(figures: readonly CurveFigures[]): VerificationIntervals {
  const of = (value: (each: CurveFigures) => number) => interval(figures.map(value))
  const at = (rate: (typeof RATES)[number]) => of((each) => each.truePositiveRateAtFalsePositiveRate[rate])
  return {
    rocAuc: of((each) => each.rocAuc),
    equalErrorRate: of((each) => each.equalErrorRate),
    truePositiveRateAtFalsePositiveRate: { '0.1': at('0.1'), '0.01': at('0.01'), '0.001': at('0.001') },
    bestAccuracy: of((each) => each.bestAccuracy),
    bestThreshold: of((each) => each.bestThreshold),
  }
}

/** Within a range, all pairs of one class could be the nearer ones, or the farther: half of it either way. */
function withinOf({ places }: Pairs): number {
  const all = totals(places)
  return places.same.reduce((sum, same, i) => sum + same * places.different[i]!, 0) / (2 * all.same * all.different)
}
