/** The margin loss, with a boundary between positives and negatives that can be learned. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { chord } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import type { Miner } from '../mining/miner.ts'
import { checkNotNegative } from '../settings.ts'
import { checkMargin, checkThreshold } from './checks.ts'
import { fromRows } from './from-rows.ts'
import type { Loss, Reducer } from './loss.ts'
import { meanNonZero } from './reducers.ts'

export interface MarginOptions {
  /** Smaller is closer; `chord` if left out. */
  readonly metric?: Metric
  /** How far from the boundary pairs should be; 0.2 if left out. */
  readonly margin?: number
  /** β, the boundary, or where it begins; 1.2 if left out. */
  readonly beta?: number
  /** `one` learns the boundary, `perClass` one for each anchor's class; `no` if left out. */
  readonly learnBeta?: 'no' | 'one' | 'perClass'
  /** ν ≥ 0, how much a wide boundary costs; 0 if left out. */
  readonly nu?: number
  readonly mining?: Miner
  readonly reduce?: Reducer
}

/**
 * Margin loss: positives inside a boundary, negatives outside of it. Each pair counts as often as there are triplets with
 * it, and positives and negatives are reduced together.
 *
 *   L = max(d(a, p) − β + margin, 0) + max(β − d(a, n) + margin, 0) + ν β
 *
 * Wu, Manmatha, Smola, Krähenbühl, "Sampling Matters in Deep Embedding Learning", 2017, eq. 5; ν β is the mean over anchors
 * where each class has a boundary of its own.
 *
 * @throws UsageError if the boundary is not a distance of the metric, the margin is out of its range, or ν is negative;
 *   when it is built, if boundaries of classes are to be learned of tuples.
 */
export function margin({
  metric = chord,
  margin = 0.2,
  beta = 1.2,
  learnBeta = 'no',
  nu = 0,
  mining = all(),
  reduce = meanNonZero,
}: MarginOptions = {}): Loss {
  checkMargin(margin, metric)
  checkThreshold(beta, metric, 'beta')
  checkNotNegative({ nu })
  return fromRows({
    name: 'margin',
    metric,
    settings: { margin, beta, learnBeta, nu },
    mining,
    reduce,
    joint: true,
    ...(learnBeta !== 'no' && {
      variables({ classes }) {
        const shape = [learnBeta === 'one' ? 1 : classes]
        return { beta: { dtype: 'float32', shape, data: new Float32Array(shape[0]!).fill(beta), trained: true } }
      },
    }),
    formula({ distances, positive, negative, ofTriplets, batch, positives: own }, variables) {
      const boundary = boundaryOf(variables.beta, batch.labels)
      const beyond = boundary ? distances.sub(boundary) : distances.sub(beta)
      const [positives, negatives] = [positive.sum([1], true), negative.sum([1], true)]
      return [
        { terms: own.pick(beyond).add(margin).relu(), weight: ofTriplets ? own.weight : own.weight.mul(negatives) },
        { terms: beyond.neg().add(margin).relu(), weight: ofTriplets ? negative : negative.mul(positives) },
      ]
    },
    extra({ batch }, variables) {
      return nu > 0 ? boundaryOf(variables.beta, batch.labels)?.mean().mul(nu) : undefined
    },
  })

  /** [1, 1] or [n, 1] */
  function boundaryOf(learned: Value | undefined, labels: Value | undefined) {
    if (!learned) return undefined
    if (learnBeta === 'one') return learned.unsqueeze([1])
    if (!labels) throw new UsageError('Boundaries of classes need labelled examples, found tuples. Learn one for all.')
    return learned.gather(labels).unsqueeze([1])
  }
}
