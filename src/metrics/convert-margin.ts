/** One margin in the units of several metrics. */
import { UsageError } from '../errors.ts'
import type { Metric } from './metric.ts'

/** A metric of the sphere as a function of the cosine, and back. */
interface Curve {
  readonly fromCosine: (cosine: number) => number
  readonly toCosine: (distance: number) => number
  /** The slope, for those that are straight lines. */
  readonly slope?: number
}

const curves: Readonly<Record<string, Curve>> = {
  cosine: { fromCosine: (c) => 1 - c, toCosine: (d) => 1 - d, slope: 1 },
  negativeCosine: { fromCosine: (c) => -c, toCosine: (d) => -d, slope: 1 },
  squaredChord: { fromCosine: (c) => 2 - 2 * c, toCosine: (d) => 1 - d / 2, slope: 2 },
  chord: { fromCosine: (c) => Math.sqrt(2 - 2 * c), toCosine: (d) => 1 - (d * d) / 2 },
  angular: { fromCosine: (c) => Math.acos(c) / Math.PI, toCosine: (d) => Math.cos(d * Math.PI) },
}

export interface ConvertMarginOptions {
  readonly from: Metric
  readonly to: Metric
  /** The distance d(a, p), in the unit of `from`, at which the margin is taken; 0 if left out. */
  readonly at?: number
}

/**
 * The margin in the unit of `to` that asks of a negative what `margin` asks in the unit of `from`: where d(a, p) is `at`,
 * the negative has to be as far as `at + margin`. By the law of cosines on the unit sphere, |u − v|² = 2 − 2 cos. Between
 * cosine, negativeCosine and squaredChord, which are straight lines of each other, `at` makes no difference.
 *
 * @throws UsageError if a metric is not one of the sphere, or `at` or `at + margin` lies outside of its range.
 */
export function convertMargin(margin: number, { from, to, at = 0 }: ConvertMarginOptions): number {
  const [source, target] = [curveOf(from), curveOf(to)]
  const [least, most] = from.range
  const [start, end] = source.slope && target.slope ? [least, least + margin] : [at, at + margin]
  if (!(margin >= 0 && start >= least && end <= most)) {
    throw new UsageError(
      `A margin of ${margin} at ${start} reaches from ${start} to ${end}; distances of ${from.name} lie between ${least} and ${most}. Choose a smaller margin, or another place to take it at.`,
    )
  }
  if (source.slope && target.slope) return (margin * target.slope) / source.slope
  const carry = (distance: number) => target.fromCosine(Math.min(1, Math.max(-1, source.toCosine(distance))))
  return carry(end) - carry(start)
}

function curveOf({ name }: Metric): Curve {
  const curve = curves[name]
  if (curve) return curve
  throw new UsageError(
    `Margins are carried between metrics of the sphere, found ${name}. Choose among ${Object.keys(curves).join(', ')}.`,
  )
}
