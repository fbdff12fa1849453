/** Large batches by some of their anchors at a time, each compared with the whole batch. */
import { zeros } from '../graph/gradients/rule.ts'
import { concat, type Value } from '../graph/value.ts'
import type { LabelledExamples, Terms } from './loss.ts'

/** Larger matrices than this are worked through in parts, so that what is made of them does not stand in memory all at once. */
const LARGEST = 2 ** 24

/**
 * The terms of all anchors from those of the parts; undefined where the batch is small enough as it is.
 *
 * @param largest how many distances a part may have, if it has more than one anchor.
 */
export function inParts(
  examples: LabelledExamples,
  largest = LARGEST,
): ((termsOf: (part: LabelledExamples) => Terms) => Terms) | undefined {
  const { embeddings, labels, largestClass } = examples
  const references = examples.references ?? { embeddings, labels, own: 0, largestClass }
  const [n, m] = [labels.shape[0]!, references.labels.shape[0]!]
  const size = Math.max(1, Math.floor(largest / m))
  if (n <= size) return undefined
  return (termsOf) => {
    const all: Terms[] = []
    for (let start = 0; start < n; start += size) {
      const rows = (of: Value) => of.slice(0, start, Math.min(start + size, n))
      const last = all.at(-1)
      // A part begins when the one before it is done; the runtime would be free to begin all of them at once.
      const some = last ? rows(embeddings).add(zeros([1, 1], last.sum)) : rows(embeddings)
      const { own } = references
      const others = { ...references, ...(own !== undefined && { own: own + start }) }
      all.push(termsOf({ ...examples, embeddings: some, labels: rows(labels), references: others }))
    }
    const joined = (name: 'sum' | 'count' | 'active') =>
      concat(
        all.map((part) => part[name]),
        0,
      )
    return { sum: joined('sum'), count: joined('count'), active: joined('active'), labels }
  }
}
