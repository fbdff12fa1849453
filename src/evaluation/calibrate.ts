/** The distance up to which two items count as the same. */
import { DataError, UsageError } from '../errors.ts'
import type { Metric } from '../metrics/metric.ts'
import { type Interval, interval } from './bootstrap.ts'
import { pointAt, totals } from './curve.ts'
import type { LabelledEmbeddings } from './embedded.ts'
import { pairsOf, resampled, type VerifyOptions } from './verification.ts'

export interface Calibration {
  /** The share of different pairs that may count as the same. */
  readonly falsePositiveRate: number
  /** Pairs at no more than this distance, in the metric's unit, count as the same. */
  readonly threshold: number
  /** The threshold's 95 % interval, of items drawn anew. */
  readonly confidence: Interval
  /** The share of pairs of one class that the threshold finds. */
  readonly truePositiveRate: number
  /** How many pairs it was found from. */
  readonly pairs: { readonly same: number; readonly different: number }
}

export interface CalibrateOptions extends VerifyOptions {
  /** The share of different pairs that may count as the same, above 0 and below 1. */
  readonly falsePositiveRate: number
}

/**
 * Finds the greatest threshold at which no more than `falsePositiveRate` of the different pairs count as the same.
 *
 * @throws UsageError if the rate is not above 0 and below 1; DataError if there are fewer different pairs than 1 / rate, so
 *   that the rate cannot be measured, or if the nearest pairs of all are more than that share, and equally far.
 */
export async function calibrate(
  embedded: LabelledEmbeddings,
  metric: Metric,
  { falsePositiveRate, resamples = 200, seed = 0, ...options }: CalibrateOptions,
): Promise<Calibration> {
  if (!(falsePositiveRate > 0 && falsePositiveRate < 1)) {
    throw new UsageError(`The false positive rate is ${falsePositiveRate}; expected a share above 0 and below 1.`)
  }
  const pairs = await pairsOf(embedded, metric, { seed, ...options })
  const all = totals(pairs.places)
  if (all.different * falsePositiveRate < 1) {
    throw new DataError(
      `There are ${all.different} pairs of different classes; a false positive rate of ${falsePositiveRate} needs at least ${Math.ceil(1 / falsePositiveRate)}. Give more items, or ask for a higher rate.`,
    )
  }
  const point = pointAt(pairs.places, falsePositiveRate)
  if (!point) {
    throw new DataError(
      `More than ${falsePositiveRate} of the different pairs are at the least distance of all, ${pairs.places.distances[0]}, so no threshold keeps them out. Has the encoder collapsed?`,
    )
  }
  const thresholds = resampled(pairs, resamples, seed, (places) => pointAt(places, falsePositiveRate)?.threshold)
  const found = thresholds.map((threshold) => threshold ?? pairs.places.distances[0]!)
  return {
    falsePositiveRate,
    threshold: point.threshold,
    confidence: interval(found),
    truePositiveRate: point.same / all.same,
    pairs: all,
  }
}
