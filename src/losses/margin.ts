/** Checks of a loss's settings that several losses share. */
import { UsageError } from '../errors.ts'
import type { Metric } from '../metrics/metric.ts'

/** @throws UsageError if distances of the metric can never differ by the margin. */
export function checkMargin(margin: number, metric: Metric): void {
  const widest = metric.range[1] - metric.range[0]
  if (!Number.isFinite(margin) || margin < 0) {
    throw new UsageError(`A margin must be a number of at least 0, found ${margin}.`)
  }
  if (margin > widest) {
    throw new UsageError(
      `The margin ${margin} can never be reached: distances of ${metric.name} lie between ${metric.range.join(' and ')}. ` +
        `Choose a margin below ${widest}; 0.1 to 0.5 is usual.`,
    )
  }
}
