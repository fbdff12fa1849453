/** A formula over the distances of a triplet, evaluated over the triplets that a miner selects. */
import { differentiate } from '../graph/differentiate.ts'
import { zeros } from '../graph/gradients/rule.ts'
import { concat, type Value } from '../graph/value.ts'
import type { Selection } from '../mining/miner.ts'
import type { Batch } from './batch.ts'
import type { Terms } from './loss.ts'

/** From d(a, p) and d(a, n), of any shapes that broadcast, to the term of each triplet. */
export type TripletFormula = (distances: { readonly ap: Value; readonly an: Value }) => Value

/** Blocks of all triplets hold this many elements at least, and a few matrices' worth at most. */
const BLOCK_ELEMENTS = 2 ** 22

export function overTriplets(formula: TripletFormula, batch: Batch, selection: Selection): Terms {
  return selection.kind === 'all' ? overAll(formula, batch) : overChosen(formula, batch, selection)
}

function overChosen(formula: TripletFormula, { distances }: Batch, chosen: Selection & { kind: 'triplets' }): Terms {
  const { positive, negative, weight } = chosen
  const terms = formula({ ap: distances.gatherElements(positive, 1), an: distances.gatherElements(negative, 1) })
  return {
    sum: terms.mul(weight).sum([1]),
    count: weight.sum([1]),
    active: terms.greater(0).cast('float32').mul(weight).sum([1]),
  }
}

/**
 * All triplets as [anchor, positive slot, negative], a block of slots at a time, so that memory grows with the square of
 * the batch. An anchor's terms depend on its own row of distances alone. So the gradient of the row's sum is taken block
 * by block, while the block is at hand, and kept as one matrix that the upstream gradient of each row scales.
 */
function overAll(formula: TripletFormula, batch: Batch): Terms {
  const { distances, other, mostPositives } = batch
  const [n, m] = distances.shape as [number, number]
  const { values, indices } = batch.same.cast('float32').topK(mostPositives, 1)
  const filled = values.greater(0)
  const positives = distances.gatherElements(indices, 1)
  const an = distances.unsqueeze([1])
  const block = Math.max(4, Math.floor(BLOCK_ELEMENTS / (n * m)))

  const blocks = Array.from({ length: Math.ceil(mostPositives / block) }, (_, i) => {
    const [start, end] = [i * block, Math.min((i + 1) * block, mostPositives)]
    const ap = positives.slice(1, start, end).unsqueeze([2])
    const counts = filled
      .slice(1, start, end)
      .unsqueeze([2])
      .and(other.unsqueeze([1]))
    const terms = counts.where(formula({ ap, an }), 0)
    const [byPositive, byNegative] = differentiate(terms.sum(), [ap, an])
    return {
      sum: terms.sum([1, 2]),
      active: terms.greater(0).cast('float32').sum([1, 2]),
      byPositive: byPositive!.squeeze([2]),
      byNegative: byNegative!.squeeze([1]),
    }
  })

  const total = (each: (of: (typeof blocks)[number]) => Value) =>
    blocks.map(each).reduce((sum, value) => sum.add(value))
  const byPositive = zeros([n, m], distances).scatterAdd(
    indices,
    concat(
      blocks.map((each) => each.byPositive),
      1,
    ),
    1,
  )
  const slopes = total((each) => each.byNegative).add(byPositive)
  return {
    sum: total((each) => each.sum).withGradient({
      inputs: [distances],
      rule: (upstream) => [slopes.mul(upstream.unsqueeze([1]))],
    }),
    count: tripletCounts(batch),
    active: total((each) => each.active),
  }
}

/** How many triplets each anchor has: [n]. */
export function tripletCounts({ same, other }: Batch): Value {
  return same
    .cast('float32')
    .sum([1])
    .mul(other.cast('float32').sum([1]))
}
