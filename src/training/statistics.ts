/** What is watched of a batch while it is trained on: scalars that the step's graph computes beside the loss. */
import type { Value } from '../graph/value.ts'
import { batchOf } from '../losses/batch.ts'
import type { Examples, LabelledExamples, Loss } from '../losses/loss.ts'
import type { Metric } from '../metrics/metric.ts'
import type { MiningBatch } from '../mining/miner.ts'
import { sidesOf } from './examples.ts'

/** `activeTriplets` is there for losses over triplets only. */
export type Statistic = 'activeTriplets' | 'spread' | 'positiveDistance' | 'negativeDistance' | 'gradientNorm'

/**
 * The mean distances of all pairs of the batch (`spread`), of positives and of negatives; the norm of the loss's gradient
 * with respect to the embeddings; and the share of the selected triplets whose term is above zero, for losses over triplets.
 *
 * Of tuples, positives and negatives are those of their own anchor, and `spread` is between each anchor and the others of all
 * tuples. Of pairs, what belongs to other anchors is a negative; of graded pairs, what scores below the batch's mean.
 *
 * The gradient is that of the embeddings because it is at hand: the norm over all parameters kept their gradients waiting
 * for each other, which made the step 3 % slower.
 */
export function batchStatistics(
  examples: Examples,
  { metric }: Loss,
  built: ReturnType<Loss['build']>,
  gradient: Value,
): Partial<Record<Statistic, Value>> {
  const { terms } = built
  return {
    ...(terms && { activeTriplets: mean({ sum: terms.active.sum(), count: terms.count.sum() }) }),
    ...(examples.kind === 'labelled'
      ? ofLabelled(built.batch ?? batchOf(examples, metric))
      : ofTuples(examples, metric)),
    gradientNorm: gradient.sumSquare().sqrt(),
  }
}

type Distances = Record<'spread' | 'positiveDistance' | 'negativeDistance', Value>

function ofLabelled({ distances, same, other }: MiningBatch): Distances {
  const [positive, negative] = [same, other].map((condition) => weighted(distances, condition)) as [Part, Part]
  return {
    spread: mean({ sum: positive.sum.add(negative.sum), count: positive.count.add(negative.count) }),
    positiveDistance: mean(positive),
    negativeDistance: mean(negative),
  }
}

function ofTuples(examples: Exclude<Examples, LabelledExamples>, metric: Metric): Distances {
  const { asking, answering } = sidesOf(examples)
  const matrix = metric.matrix(asking, answering)
  const spread = matrix.mean()
  if (examples.kind === 'graded') {
    const { a, b, score } = examples
    const distances = metric.pairwise(a, b)
    const similar = score.greater(score.mean())
    const [positive, negative] = [similar, similar.not()].map((condition) => mean(weighted(distances, condition)))
    return { spread, positiveDistance: positive!, negativeDistance: negative! }
  }
  const together = metric.pairwise(examples.anchor, examples.positive)
  if (examples.kind === 'tuples') {
    const apart = metric.pairwise(examples.anchor, examples.negative)
    return { spread, positiveDistance: together.mean(), negativeDistance: apart.mean() }
  }
  const [n] = together.shape as [number]
  const apart = matrix
    .sum()
    .sub(together.sum())
    .div(Math.max(1, n * (n - 1)))
  return { spread, positiveDistance: together.mean(), negativeDistance: apart }
}

interface Part {
  readonly sum: Value
  readonly count: Value
}

function weighted(distances: Value, condition: Value): Part {
  const weights = condition.cast('float32')
  return { sum: distances.mul(weights).sum(), count: weights.sum() }
}

function mean({ sum, count }: Part): Value {
  return sum.div(count.maximum(1))
}
