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

/** @throws UsageError if a setting is not a number above 0. */
export function checkPositive(settings: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value > 0 && Number.isFinite(value)) continue
    throw new UsageError(`A ${name} must be above 0, found ${value}.`)
  }
}

/** @throws UsageError if a setting is not a whole number of at least `least`. */
export function checkCount(settings: Readonly<Record<string, number>>, least = 1): void {
  for (const [name, value] of Object.entries(settings)) {
    if (Number.isInteger(value) && value >= least) continue
    throw new UsageError(`${name} is ${value}; expected a whole number of at least ${least}.`)
  }
}
