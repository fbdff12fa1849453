/** What is watched of a batch while it is trained on: scalars that the step's graph computes beside the loss. */
import type { Value } from '../graph/value.ts'
import { batchOf } from '../losses/batch.ts'
import type { LabelledExamples, Loss } from '../losses/loss.ts'

/** `activeTriplets` is there for losses over triplets only. */
export type Statistic = 'activeTriplets' | 'spread' | 'positiveDistance' | 'negativeDistance' | 'gradientNorm'

/**
 * The mean distances of all pairs of the batch (`spread`), of positives and of negatives; the norm of the loss's gradient
 * with respect to the embeddings; and the share of the selected triplets whose term is above zero, for losses over triplets.
 *
 * The gradient is that of the embeddings because it is at hand: the norm over all parameters kept their gradients waiting
 * for each other, which made the step 3 % slower.
 */
export function batchStatistics(
  examples: LabelledExamples,
  { metric }: Loss,
  { terms, batch = batchOf(examples, metric) }: ReturnType<Loss['build']>,
  gradient: Value,
): Partial<Record<Statistic, Value>> {
  const { distances, same, other } = batch
  const [positive, negative] = [same, other].map((condition) => {
    const weights = condition.cast('float32')
    return { sum: distances.mul(weights).sum(), count: weights.sum() }
  }) as [Part, Part]
  return {
    ...(terms && { activeTriplets: mean({ sum: terms.active.sum(), count: terms.count.sum() }) }),
    spread: mean({ sum: positive.sum.add(negative.sum), count: positive.count.add(negative.count) }),
    positiveDistance: mean(positive),
    negativeDistance: mean(negative),
    gradientNorm: gradient.sumSquare().sqrt(),
  }
}

interface Part {
  readonly sum: Value
  readonly count: Value
}

function mean({ sum, count }: Part): Value {
  return sum.div(count.maximum(1))
}
