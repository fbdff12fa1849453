/** A formula over the distances of a triplet, evaluated over the triplets that a miner selects. */

import { UsageError } from '../errors.ts'
import { differentiate } from '../graph/differentiate.ts'
import { zeros } from '../graph/gradients/rule.ts'
import { concat, type Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Miner, Selection } from '../mining/miner.ts'
import { type Batch, batchOf } from './batch.ts'
import type { Examples, Terms, TripletDistances, TripletFormula } from './loss.ts'
import { overTuples } from './over-tuples.ts'

/** Blocks of all triplets hold this many elements at least, and a few matrices' worth at most. */
const BLOCK_ELEMENTS = 2 ** 22

/** The terms of examples of either kind, and of labelled ones the batch. */
export function tripletTerms(
  formula: TripletFormula,
  examples: Examples,
  metric: Metric,
  mining: Miner,
  sorted?: Sorted,
): { terms: Terms; batch?: Batch } {
  if (examples.kind === 'tuples') {
    const { anchor, positive, negative } = examples
    const distances = {
      ap: metric.pairwise(anchor, positive),
      an: metric.pairwise(anchor, negative),
      get pn() {
        return metric.pairwise(positive, negative)
      },
    }
    return { terms: overTuples(termsOf(formula, distances)) }
  }
  const batch = batchOf(examples, metric)
  const selection = mining.select(batch)
  return { terms: (selection.kind === 'all' && sorted?.(batch)) || overTriplets(formula, batch, selection), batch }
}

/** A faster way over all triplets of a batch, where there is one for it. */
export type Sorted = (batch: Batch) => Terms | undefined

export function overTriplets(formula: TripletFormula, batch: Batch, selection: Selection): Terms {
  return selection.kind === 'triplets' ? overChosen(formula, batch, selection) : overAll(formula, batch, selection)
}

function overChosen(formula: TripletFormula, { distances }: Batch, chosen: Selection & { kind: 'triplets' }): Terms {
  const { positive, negative, weight } = chosen
  const [ap, an] = [distances.gatherElements(positive, 1), distances.gatherElements(negative, 1)]
  const terms = termsOf(formula, withoutPn({ ap, an }))
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
function overAll(formula: TripletFormula, batch: Batch, selection: Exclude<Selection, { kind: 'triplets' }>): Terms {
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
    const kept = selection.kind === 'where' ? counts.and(selection.keep({ ap, an })) : counts
    const terms = kept.where(termsOf(formula, withoutPn({ ap, an })), 0)
    const [slopeOfPositive, slopeOfNegative] = differentiate(terms.sum(), [ap, an])
    byPositive.push(slopeOfPositive!.squeeze([2]))
    sums = addUp(sums, {
      sum: terms.sum([1, 2]),
      active: terms.greater(0).cast('float32').sum([1, 2]),
      ...(selection.kind === 'where' && { count: kept.cast('float32').sum([1, 2]) }),
      byNegative: slopeOfNegative!.squeeze([1]),
    })
  }

  const { sum, active, count, byNegative } = sums!
  const slopes = byNegative.add(zeros([n, m], distances).scatterAdd(indices, concat(byPositive, 1), 1))
  return {
    sum: sum.withGradient({ inputs: [distances], rule: (upstream) => [slopes.mul(upstream.unsqueeze([1]))] }),
    count: count ?? tripletCounts(batch),
    active,
  }
}

/** @throws UsageError if the formula did not give each triplet a term. */
function termsOf(formula: TripletFormula, distances: TripletDistances): Value {
  const terms = formula(distances)
  const [rank, found] = [distances.ap.shape.length, terms.shape.length]
  if (found === rank) return terms
  throw new UsageError(
    `The formula gives values of rank ${found} for distances of rank ${rank}; expected one term for each triplet. ` +
      'Leave sums and means to the reducer: a hinge around a mean is no triplet loss.',
  )
}

function withoutPn(distances: Pick<TripletDistances, 'ap' | 'an'>): TripletDistances {
  return {
    ...distances,
    get pn(): Value {
      throw new UsageError('A formula with d(p, n) takes tuples. Give { anchor, positive, negative }, or leave pn out.')
    },
  }
}

/** What blocks add up to: by anchor [n], and for each distance to a negative [n, m]. */
interface Sums {
  readonly sum: Value
  readonly active: Value
  /** Of the triplets kept, where not all are. */
  readonly count?: Value
  readonly byNegative: Value
}

function addUp(before: Sums | undefined, block: Sums): Sums {
  if (!before) return block
  return {
    sum: before.sum.add(block.sum),
    active: before.active.add(block.active),
    ...(before.count && { count: before.count.add(block.count!) }),
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
