/** A formula over the distances of a triplet, evaluated over the triplets that a miner selects. */
import { UsageError } from '../errors.ts'
import { differentiate } from '../graph/differentiate.ts'
import { zeros } from '../graph/gradients/rule.ts'
import { scatterLines } from '../graph/gradients/scatter.ts'
import { concat, input, type Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Miner, Selection, Triplet } from '../mining/miner.ts'
import { type Batch, batchOf, tuplesOnly } from './batch.ts'
import { inParts } from './in-parts.ts'
import type { Examples, Reducer, Terms, TripletDistances, TripletFormula } from './loss.ts'
import { mean, termsOf } from './reducers.ts'
import { ones } from './rows.ts'

/** Blocks of all triplets hold so many elements, or one matrix where that is more. */
const BLOCK_ELEMENTS = 2 ** 22

export interface OverTriplets {
  readonly name: string
  readonly formula: TripletFormula
  readonly metric: Metric
  readonly mining: Miner
  readonly reduce: Reducer
  /** A faster way over all triplets of a batch, where there is one for it. */
  readonly sorted?: ((batch: Batch) => Terms | undefined) | undefined
}

/** The terms of examples of either kind, and of labelled ones the batch. */
export function tripletTerms(options: OverTriplets, examples: Examples): { terms: Terms; batch?: Batch } {
  const { name, formula, metric, mining, reduce, sorted } = options
  if (examples.kind !== 'labelled') {
    const { anchor, positive, negative } = tuplesOnly(examples, name)
    const terms = evaluated(formula, {
      ap: metric.pairwise(anchor, positive),
      an: metric.pairwise(anchor, negative),
      get pn() {
        return metric.pairwise(positive, negative)
      },
    })
    return { terms: termsOf(reduce, terms, ones(terms)) }
  }
  const batch = batchOf(examples, metric)
  const seen = mining.metric ? batch.in(mining.metric) : batch
  const selection = mining.select(seen)
  if (selection.kind === 'all' && !usesBetween(formula)) {
    const parts = inParts(examples)
    if (parts) return { terms: parts((part) => tripletTerms(options, part).terms), batch }
  }
  const fast = selection.kind === 'all' && !reduce.keep ? sorted?.(batch) : undefined
  return { terms: fast ?? overTriplets(formula, batch, selection, reduce, seen), batch }
}

/** @param seen the batch as the miner sees it; the same batch if left out. */
export function overTriplets(
  formula: TripletFormula,
  batch: Batch,
  selection: Selection,
  reduce: Reducer = mean,
  seen = batch,
): Terms {
  return selection.kind === 'triplets'
    ? overChosen(formula, batch, selection, reduce)
    : overAll(formula, batch, selection, reduce, seen)
}

function overChosen(
  formula: TripletFormula,
  batch: Batch,
  { positive, negative, weight }: Selection & { kind: 'triplets' },
  reduce: Reducer,
): Terms {
  const { distances } = batch
  const [n, k] = positive.shape as [number, number]
  const terms = evaluated(formula, {
    ap: distances.gatherElements(positive, 1),
    an: distances.gatherElements(negative, 1),
    get pn() {
      const lines = batch.between.gather(positive.reshape([-1]))
      return lines.gatherElements(negative.reshape([n * k, 1]), 1).reshape([n, k])
    },
  })
  return termsOf(reduce, terms, weight, batch.labels)
}

/**
 * All triplets as [anchor, positive slot, negative], a block of slots at a time, so that memory grows with the square of
 * the batch. An anchor's terms depend on its own row of distances alone, so the gradient of the row's sum is taken block
 * by block, while the block is at hand, and kept as one matrix that the upstream gradient of each row scales. Where a
 * formula has d(p, n) too, terms of several anchors meet in its row: then blocks are visited again, once the upstream
 * gradient is known.
 */
function overAll(
  formula: TripletFormula,
  batch: Batch,
  selection: Exclude<Selection, { kind: 'triplets' }>,
  reduce: Reducer,
  seen: Batch,
): Terms {
  const { distances, labels } = batch
  const around = usesBetween(formula)
  const visits = { formula, batch, selection, reduce, seen, around }
  const first = visit({ ...visits, slopes: !around })
  const sum = around
    ? first.sum.withGradient({
        inputs: [distances, batch.between],
        rule(upstream) {
          const { byPositive, byNegative, byBetween } = visit({ ...visits, slopes: true, upstream })
          return [byPositive!.add(byNegative!), byBetween!]
        },
      })
    : first.sum.withGradient({
        inputs: [distances],
        rule: (upstream) => [first.byNegative!.add(first.byPositive!).mul(upstream.unsqueeze([1]))],
      })
  return { sum, count: first.count ?? tripletCounts(batch), active: first.active, labels }
}

interface Visit {
  readonly formula: TripletFormula
  readonly batch: Batch
  readonly selection: Exclude<Selection, { kind: 'triplets' }>
  readonly reduce: Reducer
  readonly seen: Batch
  /** Whether the formula has d(p, n). */
  readonly around: boolean
  readonly slopes: boolean
  /** What each anchor's terms count in the slopes [n]; 1 if left out. */
  readonly upstream?: Value
}

interface Visited extends Sums {
  /** For each distance to a positive [n, m]. */
  readonly byPositive?: Value
}

function visit({ formula, batch, selection, reduce, seen, around, slopes, upstream }: Visit): Visited {
  const { distances, mostPositives } = batch
  const [n, m] = distances.shape as [number, number]
  const [same, other] =
    selection.kind === 'pairs'
      ? [selection.positive.greater(0), selection.negative.greater(0)]
      : [batch.same, batch.other]
  const { values, indices } = same.cast('float32').topK(mostPositives, 1)
  const size = Math.max(1, Math.floor(BLOCK_ELEMENTS / (n * m)))
  const filter = selection.kind === 'where' ? selection.keep : undefined
  const counted = selection.kind !== 'all' || reduce.keep !== undefined

  let sums: Sums | undefined
  const byPositive: Value[] = []
  for (let start = 0; start < mostPositives; start += size) {
    const end = Math.min(start + size, mostPositives)
    // The runtime is free to compute all blocks before it sums any up, which would take the cube. So a block begins with
    // a zero that is known only when the block before it is done.
    const after = sums ? waitFor([...Object.values(sums), ...byPositive.slice(-1)]) : undefined
    const later = (value: Value) => (after ? value.add(after) : value)
    // The slots wait, not what is picked by them: d(p, n) of a block is as large as the block.
    const open = indices.slice(1, start, end)
    const slots = after ? open.add(after.reshape([1, 1]).cast('int64')) : open
    const triplets = (of: Batch) => ({
      ap: of.distances.gatherElements(slots, 1).unsqueeze([2]),
      an: of.distances.unsqueeze([1]),
      get pn() {
        return of.between.gather(slots)
      },
    })
    const own = triplets(batch)
    const pn = around ? own.pn : undefined
    const filled = later(values.slice(1, start, end).unsqueeze([2]))
      .greater(0)
      .and(other.unsqueeze([1]))
    const kept = filter ? filled.and(filter(seen === batch ? { ...own, pn: pn ?? own.pn } : triplets(seen))) : filled
    const every = evaluated(formula, { ap: own.ap, an: own.an, pn: pn ?? own.ap })
    const counts = reduce.keep ? kept.and(reduce.keep(every)) : kept
    const terms = counts.where(every, 0)
    const weighted = upstream ? terms.mul(upstream.unsqueeze([1, 2])) : terms
    const by = slopes ? differentiate(weighted.sum(), [own.ap, own.an, ...(pn ? [pn] : [])]) : []
    if (slopes) byPositive.push(by[0]!.squeeze([2]))
    sums = addUp(sums, {
      sum: terms.sum([1, 2]),
      active: terms.greater(0).cast('float32').sum([1, 2]),
      ...(counted && { count: counts.cast('float32').sum([1, 2]) }),
      ...(slopes && { byNegative: by[1]!.squeeze([1]) }),
      ...(slopes && pn && { byBetween: toBetween(by[2]!, slots, batch.between) }),
    })
  }
  if (!slopes) return sums!
  return { ...sums!, byPositive: zeros([n, m], distances).scatterAdd(indices, concat(byPositive, 1), 1) }
}

/** What flows to the distances [m, m] from the rows of them that the slots [n, k] picked. */
function toBetween(slope: Value, slots: Value, between: Value): Value {
  const [m] = between.shape as [number]
  return scatterLines(zeros(between.shape, slope), slots.reshape([-1]), slope.reshape([-1, m]), 0)
}

function usesBetween(formula: TripletFormula): boolean {
  let used = false
  const [ap, an] = [input('ap', 'float32', [1]), input('an', 'float32', [1])]
  formula({
    ap,
    an,
    get pn() {
      used = true
      return an
    },
  })
  return used
}

/** @throws UsageError if the formula did not give each triplet a term. */
function evaluated(formula: TripletFormula, distances: TripletDistances | Triplet): Value {
  const terms = formula(distances)
  const [rank, found] = [distances.ap.shape.length, terms.shape.length]
  if (found === rank) return terms
  throw new UsageError(
    `The formula gives values of rank ${found} for distances of rank ${rank}; expected one term for each triplet. ` +
      'Leave sums and means to the reducer: a hinge around a mean is no triplet loss.',
  )
}

/** What blocks add up to: by anchor [n], and for each distance to a negative [n, m]. */
interface Sums {
  readonly sum: Value
  readonly active: Value
  /** Of the triplets kept, where not all are. */
  readonly count?: Value
  readonly byNegative?: Value
  /** For each distance of a positive to a negative [m, m]. */
  readonly byBetween?: Value
}

function addUp(before: Sums | undefined, block: Sums): Sums {
  if (!before) return block
  const names = Object.keys(block) as (keyof Sums)[]
  return Object.fromEntries(names.map((name) => [name, before[name]!.add(block[name]!)])) as unknown as Sums
}

/** A zero [1, 1, 1] that depends on all the values. */
export function waitFor(values: readonly Value[]): Value {
  return values.map((value) => zeros([1, 1, 1], value)).reduce((sum, each) => sum.add(each))
}

/** How many triplets each anchor has: [n]. */
export function tripletCounts({ same, other }: Batch): Value {
  return same
    .cast('float32')
    .sum([1])
    .mul(other.cast('float32').sum([1]))
}

/** How many of the triplets that a miner keeps each pair is in: [n, m] for positives and for negatives. */
export function tripletCountsByPair(
  batch: Batch,
  selection: Selection & { kind: 'where' },
): { positive: Value; negative: Value } {
  // The slopes of d(a, p) + d(a, n) are 1 for each triplet that a pair is in.
  const sum = ({ ap, an }: TripletDistances) => ap.add(an)
  const visited = visit({ formula: sum, batch, selection, reduce: mean, seen: batch, around: false, slopes: true })
  const { byPositive, byNegative } = visited
  return { positive: byPositive!, negative: byNegative! }
}
