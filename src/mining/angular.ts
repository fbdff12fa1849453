/** Triplets chosen by the angle at the negative. */
import { UsageError } from '../errors.ts'
import { euclidean } from '../metrics/euclidean.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Miner } from './miner.ts'

export interface AngularMinerOptions {
  /** In degrees, above 0 and below 90; 20 if left out. */
  readonly angle?: number
  /** Distances that angles are made of: `euclidean` if left out; `chord` for embeddings at length 1. */
  readonly metric?: Metric
}

/**
 * The triplets whose negative n sees anchor and positive under a wide angle: arctan(|a − p| / (2 |n − c|)) > angle, with their
 * middle c. Wang, Zhou, Wen, Liu, Lin, "Deep Metric Learning with Angular Loss", 2017, eq. 4.
 *
 * By Apollonius, |n − c|² = (2|a − n|² + 2|p − n|² − |a − p|²)/4, so that distances are enough.
 *
 * @throws UsageError if the angle is out of range.
 */
export function angular({ angle = 20, metric = euclidean }: AngularMinerOptions = {}): Miner {
  if (!(angle > 0 && angle < 90)) throw new UsageError(`The angle is ${angle}°; expected above 0 and below 90.`)
  const bound = Math.tan((angle * Math.PI) / 180) ** 2
  return {
    name: 'angular',
    settings: { angle },
    metric,
    select: () => ({
      kind: 'where',
      keep({ ap, an, pn }) {
        const across = ap.square()
        const toMiddle = an.square().mul(2).add(pn.square().mul(2)).sub(across)
        return across.greater(toMiddle.mul(bound))
      },
    }),
  }
}
