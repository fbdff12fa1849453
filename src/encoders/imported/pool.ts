/** From what a published model ends in, token states or maps of features, to one row for each example. */
import { UsageError } from '../../errors.ts'
import { one, type Value } from '../../graph/value.ts'
import { describe } from '../../tensor.ts'
import type { Values, Variables } from '../encoder.ts'

/**
 * `mean`: of the tokens [n, tokens, d] that the attention mask names, or all. `first`: the first token. `average`: over the
 * places of [n, d, height, width]. `generalizedMean`: the p-th root of the mean of p-th powers over places or tokens, p
 * fitted from 3: Radenović, Tolias, Chum, "Fine-tuning CNN Image Retrieval with No Human Annotation", 2019, eq. 3.
 */
export type Pooling = (typeof poolings)[number]
export const poolings = ['mean', 'first', 'average', 'generalizedMean'] as const

/** What the p-th powers are taken of is at least this, so that roots have a slope. */
const LEAST = 1e-6
const EXPONENT = 3

/** The variables that pooling has of its own. */
export function poolVariables(pool: Pooling | undefined): Variables {
  if (pool !== 'generalizedMean') return {}
  return { exponent: { dtype: 'float32', shape: [1], data: Float32Array.of(EXPONENT), trained: true } }
}

/**
 * [n, d], [n, tokens, d] or [n, d, …places] → [n, d]. Left out, `pool` is `mean` for tokens and `average` for places.
 *
 * @param mask [n, tokens], 1 for tokens and 0 for padding; all are tokens if left out.
 * @throws UsageError if the pooling does not go with the shape.
 */
export function poolRows(x: Value, pool: Pooling | undefined, variables: Values, mask?: Value): Value {
  const rank = x.shape.length
  const chosen = pool ?? (rank === 3 ? 'mean' : rank > 3 ? 'average' : undefined)
  if (chosen === undefined && rank === 2) return x
  const tokens = rank === 3
  const fits = tokens ? chosen !== 'average' : rank > 3 && (chosen === 'average' || chosen === 'generalizedMean')
  if (!fits) {
    throw new UsageError(
      `Pooling ${chosen ?? ''} does not go with an output of ${describe(x)}: [n, tokens, d] takes mean, first or generalizedMean, [n, d, height, width] average or generalizedMean, and [n, d] none.`,
    )
  }
  if (chosen === 'first') return x.slice(1, 0, 1).squeeze([1])
  if (chosen !== 'generalizedMean') return tokens ? meanOfTokens(x, mask) : overPlaces(x)
  const exponent = variables.exponent!
  const powers = x.maximum(LEAST).pow(exponent)
  return (tokens ? meanOfTokens(powers, mask) : overPlaces(powers)).pow(exponent.reciprocal())
}

function meanOfTokens(x: Value, mask: Value | undefined): Value {
  if (!mask) return x.mean([1])
  const weights = mask.cast('float32')
  // Weights of a row as a product: [n, 1, tokens] × [n, tokens, d].
  const sums = weights.unsqueeze([1]).matmul(x).squeeze([1])
  return sums.div(weights.sum([1], true).maximum(1))
}

function overPlaces(x: Value): Value {
  return one('GlobalAveragePool', [x]).flatten()
}
