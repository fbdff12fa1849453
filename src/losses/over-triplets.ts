/** A formula over the distances of a triplet, evaluated over the triplets that a miner selects. */
import { differentiate } from '../graph/differentiate.ts'
import { zeros } from '../graph/gradients/rule.ts'
import { concat, type Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Miner, Selection } from '../mining/miner.ts'
import { type Batch, batchOf, distanceStatistics } from './batch.ts'
import type { Examples, Terms } from './loss.ts'
import { overTuples, tupleStatistics } from './over-tuples.ts'

/** From d(a, p) and d(a, n), of any shapes that broadcast, to the term of each triplet. */
export type TripletFormula = (distances: { readonly ap: Value; readonly an: Value }) => Value

/** Blocks of all triplets hold this many elements at least, and a few matrices' worth at most. */
const BLOCK_ELEMENTS = 2 ** 22

/** The terms of examples of either kind, and what is worth watching of their distances. */
export function tripletTerms(
  formula: TripletFormula,
  examples: Examples,
  metric: Metric,
  mining: Miner,
  sorted?: Sorted,
) {
  if (examples.kind === 'tuples') {
    const { anchor, positive, negative } = examples
    const [ap, an] = [metric.pairwise(anchor, positive), metric.pairwise(anchor, negative)]
    return { terms: overTuples(formula({ ap, an })), statistics: tupleStatistics(ap, an) }
  }
  const batch = batchOf(examples, metric)
  const selection = mining.select(batch)
  const terms = (selection.kind === 'all' && sorted?.(batch)) || overTriplets(formula, batch, selection)
  return { terms, statistics: distanceStatistics(batch) }
}

/** A faster way over all triplets of a batch, where there is one for it. */
export type Sorted = (batch: Batch) => Terms | undefined

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
  const positives = distances.gatherElements(indices, 1)
  const an = distances.unsqueeze([1])
  const size = Math.max(4, Math.floor(BLOCK_ELEMENTS / (n * m)))

  let sums: Sums | undefined
  const byPositive: Value[] = []
  for (let start = 0; start < mostPositives; start += size) {
    const end = Math.min(start + size, mostPositives)
    const [slots, filled] = [positives, values].map((each) => each.slice(1, start, end).unsqueeze([2]))
    // The runtime is free to compute all blocks before it sums any up, which would take the cube. So a block begins with
    // a zero that is known only when the block before it is done.
    const after = sums ? waitFor([...Object.values(sums), byPositive.at(-1)!]) : undefined
    const ap = after ? slots!.add(after) : slots!
    const counts = (after ? filled!.add(after) : filled!).greater(0).and(other.unsqueeze([1]))
    const terms = counts.where(formula({ ap, an }), 0)
    const [slopeOfPositive, slopeOfNegative] = differentiate(terms.sum(), [ap, an])
    byPositive.push(slopeOfPositive!.squeeze([2]))
    sums = addUp(sums, {
      sum: terms.sum([1, 2]),
      active: terms.greater(0).cast('float32').sum([1, 2]),
      byNegative: slopeOfNegative!.squeeze([1]),
    })
  }

  const { sum, active, byNegative } = sums!
  const slopes = byNegative.add(zeros([n, m], distances).scatterAdd(indices, concat(byPositive, 1), 1))
  return {
    sum: sum.withGradient({ inputs: [distances], rule: (upstream) => [slopes.mul(upstream.unsqueeze([1]))] }),
    count: tripletCounts(batch),
    active,
  }
}

/** What blocks add up to: by anchor [n] and [n], and for each distance to a negative [n, m]. */
interface Sums {
  readonly sum: Value
  readonly active: Value
  readonly byNegative: Value
}

function addUp(before: Sums | undefined, block: Sums): Sums {
  if (!before) return block
  return {
    sum: before.sum.add(block.sum),
    active: before.active.add(block.active),
    byNegative: before.byNegative.add(block.byNegative),
  }
}

/** A zero [1, 1, 1] that depends on all the values. */
function waitFor(values: readonly Value[]): Value {
  return values.map((value) => zeros([1, 1, 1], value)).reduce((sum, each) => sum.add(each))
}

/** How many triplets each anchor has: [n]. */
export function tripletCounts({ same, other }: Batch): Value {
  return same
    .cast('float32')
    .sum([1])
    .mul(other.cast('float32').sum([1]))
}
