/** The tuplet margin loss. */
import { UsageError } from '../errors.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkPositive } from '../settings.ts'
import { onlyFor } from './checks.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'
import { logSumExp, sineOf } from './rows.ts'

export interface TupletMarginOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /** β, the slack of positives in degrees, from 0 to 90; 5.73 if left out. */
  readonly margin?: number
  /** s > 0; 64 if left out. */
  readonly scale?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Tuplet margin loss: each positive against all negatives of its anchor, with a slack on its angle.
 *
 *   L = log(1 + Σₙ exp(s (cos θ(a, n) − cos(θ(a, p) − β))))
 *
 * Yu and Tao, "Deep Metric Learning with Tuplet Margin Loss", 2019, eq. 6.
 *
 * @throws UsageError if the metric is not cosine, the margin is out of range, or the scale is not above 0.
 */
export function tupletMargin({
  metric = cosine,
  margin = 5.73,
  scale = 64,
  mining = all(),
  reduce = mean,
}: TupletMarginOptions = {}): Loss {
  onlyFor(metric, cosine, 'tupletMargin')
  checkPositive({ scale })
  if (!(margin >= 0 && margin <= 90)) throw new UsageError(`The margin is ${margin}°; expected 0 to 90.`)
  const angle = (margin * Math.PI) / 180
  return fromRows({
    name: 'tupletMargin',
    metric,
    settings: { margin, scale },
    mining,
    reduce,
    formula({ distances, other, positives }) {
      const near = distances.neg().add(1)
      const own = positives.pick(near)
      const slack = own.mul(Math.cos(angle)).add(sineOf(own).mul(Math.sin(angle)))
      const negatives = logSumExp(near.mul(scale), other).unsqueeze([1])
      return [{ terms: negatives.sub(slack.mul(scale)).softplus(), weight: positives.weight }]
    },
  })
}
