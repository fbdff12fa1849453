/** A loss with what its embeddings or class weights cost by themselves. */
import { UsageError } from '../errors.ts'
import { concat } from '../graph/value.ts'
import { checkNotNegative } from '../settings.ts'
import type { Examples, Loss, Values } from './loss.ts'
import type { Regularizer } from './regularizers.ts'

export interface RegularizedOptions {
  readonly embeddings?: Regularizer
  readonly classWeights?: Regularizer
  /** What each cost is multiplied with, at least 0; 1 if left out. */
  readonly weight?: number
}

/**
 * Adds the cost of the embeddings, of the class weights, or of both to a loss.
 *
 * @throws UsageError if the weight is negative, or class weights are to be regularised of a loss that has none.
 */
export function regularized(loss: Loss, options: RegularizedOptions): Loss {
  const { embeddings, classWeights, weight = 1 } = options
  checkNotNegative({ weight })
  if (classWeights && !loss.classWeights) {
    throw new UsageError(`${loss.name} has no class weights to regularise. Regularise its embeddings.`)
  }
  return {
    ...loss,
    settings: {
      ...loss.settings,
      ...(embeddings && { embeddingRegularizer: embeddings.name }),
      ...(classWeights && { weightRegularizer: classWeights.name }),
      regularizerWeight: weight,
    },
    ...(loss.withMining && { withMining: (mining) => regularized(loss.withMining!(mining), options) }),
    build(examples, variables: Values = {}) {
      const built = loss.build(examples, variables)
      const costs = [embeddings?.cost(rowsOf(examples)), classWeights?.cost(variables[loss.classWeights!]!)].filter(
        (cost) => cost !== undefined,
      )
      return { ...built, value: costs.reduce((sum, cost) => sum.add(cost.mul(weight)), built.value) }
    },
  }
}

/** All embeddings of the examples. */
function rowsOf(examples: Examples) {
  if (examples.kind === 'labelled') return examples.embeddings
  if (examples.kind === 'graded') return concat([examples.a, examples.b], 0)
  if (examples.kind === 'pairs') return concat([examples.anchor, examples.positive], 0)
  const { anchor, positive, negative, secondNegative } = examples
  return concat([anchor, positive, negative, ...(secondNegative ? [secondNegative] : [])], 0)
}
