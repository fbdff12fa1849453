/** One loss at several lengths of the same embeddings. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import type { Examples, Loss } from './loss.ts'
import { forwarded, merged, variablesOf } from './own-variables.ts'

export interface MatryoshkaOptions {
  /** The lengths, each at most the embedding's: its first elements count. */
  readonly dimensions: readonly number[]
  /** The weight of each length; 1 if left out. */
  readonly weights?: readonly number[]
}

/**
 * Matryoshka representation learning: the sum of a loss over embeddings cut to several lengths, so that the first elements
 * alone are embeddings too.
 *
 * Kusupati and others, "Matryoshka Representation Learning", 2022, eq. 1.
 *
 * @throws UsageError if there is no length, one is no whole number, or weights do not match; when it is built, if a length
 *   exceeds the embeddings'.
 */
export function matryoshka(loss: Loss, { dimensions, weights = dimensions.map(() => 1) }: MatryoshkaOptions): Loss {
  if (dimensions.length === 0 || !dimensions.every((each) => Number.isInteger(each) && each > 0)) {
    throw new UsageError(`Matryoshka takes whole numbers above 0 as dimensions, found [${dimensions.join(', ')}].`)
  }
  if (weights.length !== dimensions.length || !weights.every(Number.isFinite)) {
    throw new UsageError(`Matryoshka takes a weight for each of ${dimensions.length} dimensions, found [${weights}].`)
  }
  // The longest first: what is watched is what it is made of.
  const order = dimensions.map((dimension, i) => ({ dimension, weight: weights[i]! }))
  order.sort((a, b) => b.dimension - a.dimension)
  const parts = order.map(() => loss)
  return {
    ...loss,
    name: `matryoshka ${loss.name}`,
    settings: { ...loss.settings, dimensions, dimensionWeights: weights },
    variables: (size) => merged(parts, (i) => ({ ...size, dimension: order[i]!.dimension })),
    ...(loss.withMining && { withMining: (mining) => matryoshka(loss.withMining!(mining), { dimensions, weights }) }),
    build(examples, variables = {}) {
      const built = order.map(({ dimension }, i) => loss.build(cut(examples, dimension), variablesOf(variables, i)))
      const weighted = built.map(({ value }, i) => value.mul(order[i]!.weight))
      const state = Object.assign({}, ...built.map((each, i) => forwarded(each.state, i)))
      return { ...built[0]!, value: weighted.reduce((sum, each) => sum.add(each)), state }
    },
  }
}

function cut(examples: Examples, dimension: number): Examples {
  const first = (x: Value) => {
    if (x.shape[1]! >= dimension) return x.slice(1, 0, dimension)
    throw new UsageError(`Embeddings of length ${x.shape[1]} have no first ${dimension} elements. Choose fewer.`)
  }
  if (examples.kind === 'labelled') {
    const { references } = examples
    const shorter = references && { ...references, embeddings: first(references.embeddings) }
    return { ...examples, embeddings: first(examples.embeddings), references: shorter }
  }
  if (examples.kind === 'graded') return { ...examples, a: first(examples.a), b: first(examples.b) }
  const { anchor, positive } = examples
  if (examples.kind === 'pairs') return { ...examples, anchor: first(anchor), positive: first(positive) }
  const { negative, secondNegative } = examples
  return {
    ...examples,
    anchor: first(anchor),
    positive: first(positive),
    negative: first(negative),
    secondNegative: secondNegative && first(secondNegative),
  }
}
