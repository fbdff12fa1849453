/** What to write in place of a mistake. */
import { metricsByName } from '../../metrics/by-name.ts'
import type { Survey } from '../survey.ts'

/** The triplet loss, as a formula and in the library. */
export function hinge({ loss: { metric }, margin, high, low }: Survey): string {
  const usable = margin !== undefined && margin > 0 && margin < high - low ? margin : 0.2
  const formula = 'max(ap - an + margin, 0)'
  return metricsByName.has(metric.name)
    ? `${formula}, which is losses.triplet({ metric: metrics.${metric.name}, margin: ${usable} }).`
    : `${formula}, which is losses.triplet({ metric, margin: ${usable} }).`
}
