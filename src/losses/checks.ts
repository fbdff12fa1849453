/** Whether a loss's margins and its metric fit each other. */
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

/** @throws UsageError if distances of the metric can never be this. */
export function checkThreshold(distance: number, { name, range: [least, most] }: Metric, what: string): void {
  if (Number.isFinite(distance) && distance >= least && distance <= most) return
  throw new UsageError(
    `${what} is ${distance}; distances of ${name} lie between ${least} and ${most}. Choose one of those.`,
  )
}

/** @throws UsageError if the loss is defined for another metric. */
export function onlyFor(metric: Metric, expected: Metric, loss: string): void {
  if (metric.name === expected.name) return
  throw new UsageError(
    `${loss} is defined for the metric ${expected.name}, found ${metric.name}. Leave the metric out, or use another loss.`,
  )
}
