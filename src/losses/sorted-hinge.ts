/** The hinge over all triplets without visiting them: time batch² log batch, memory batch². */
import { FAR } from '../mining/extremes.ts'
import type { Batch } from './batch.ts'
import type { Terms } from './loss.ts'
import { tripletCounts } from './over-triplets.ts'

/**
 * Σ max(d(a, p) − d(a, n) + margin, 0) for each anchor. Its negatives and its positives plus the margin are sorted
 * together. A positive at place k then has an active triplet with each negative before it: their number times its own key,
 * less the running sum of theirs.
 */
export function sortedHinge(batch: Batch, margin: number): Terms {
  const { distances, same, other } = batch
  const [positive, negative] = [same.cast('float32'), other.cast('float32')]
  const keys = same.or(other).where(distances.add(positive.mul(margin)), FAR)
  const { values, indices } = keys.topK(distances.shape[1]!, 1, { largest: false })
  const isPositive = positive.gatherElements(indices, 1)
  const isNegative = negative.gatherElements(indices, 1)
  const before = isNegative.cumSum(1)
  const terms = before.mul(values).sub(isNegative.mul(values).cumSum(1))
  return {
    sum: isPositive.mul(terms).sum([1]),
    count: tripletCounts(batch),
    active: isPositive.mul(before).sum([1]),
    labels: batch.labels,
  }
}
