/** A loss over rows of distances: each anchor's positives and negatives, as pairs or all at once. */
import { zeros } from '../graph/gradients/rule.ts'
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Miner, Selection } from '../mining/miner.ts'
import { type Batch, rowsOf } from './batch.ts'
import type { Loss, LossSize, Reducer, Settings, Terms, Values } from './loss.ts'
import { tripletCountsByPair } from './over-triplets.ts'
import { termsOf } from './reducers.ts'

/** The anchors of a batch as rows, and what they are compared with as columns. Of tuples, each is a row of its own. */
export interface Rows {
  /** [n, m] in the loss's metric. */
  readonly distances: Value
  /** [n, m] bool: the positives and the negatives that count. */
  readonly same: Value
  readonly other: Value
  /** How much they count, [n, m] float32; more than 1 where a miner picks a pair more than once. */
  readonly positive: Value
  readonly negative: Value
  /** Whether the miner has picked triplets, so that pairs count as often as triplets have them. */
  readonly ofTriplets: boolean
  readonly batch: Batch
  /** The positives alone: faster than all pairs where classes are small. */
  readonly positives: Positives
}

export interface Positives {
  /** How much each counts: [n, k], or [n, m]. */
  readonly weight: Value
  /** Of values [n, m], or of columns [1, m], those of the positives. */
  pick(values: Value): Value
}

/** Terms [n] or [n, m], and how much each counts, of the same shape. */
export interface Part {
  readonly terms: Value
  readonly weight: Value
}

export interface RowsLoss {
  readonly name: string
  readonly metric: Metric
  readonly settings?: Settings
  readonly mining: Miner
  readonly reduce: Reducer
  readonly variables?: Loss['variables']
  /** Each part is reduced on its own; the loss is their sum. */
  formula(rows: Rows, variables: Values): readonly Part[]
  /** Whether parts are reduced as one; false if left out. */
  readonly joint?: boolean
  /** What is added to the loss, a scalar. */
  extra?(rows: Rows, variables: Values): Value | undefined
}

/** A loss that is a formula over rows of distances; over labelled batches, with references too, and over tuples. */
export function fromRows(options: RowsLoss): Loss {
  const { name, metric, settings, mining, reduce, formula, joint = false, extra, variables } = options
  return {
    name,
    metric,
    settings: { ...settings, mining: mining.name, reduce: reduce.name },
    over: 'anchors',
    ...(variables && { variables: (size: LossSize) => variables(size) }),
    withMining: (other) => fromRows({ ...options, mining: other }),
    build(examples, values = {}) {
      const batch = rowsOf(examples, metric, name)
      const rows = pickedRows(batch, mining)
      const terms = formula(rows, values).map((part) => termsOf(reduce, part.terms, part.weight, batch.labels))
      const value = joint
        ? reduce.reduce(terms.reduce(together))
        : terms.map((each) => reduce.reduce(each)).reduce((sum, each) => sum.add(each))
      const added = extra?.(rows, values)
      return { value: added ? value.add(added) : value, batch }
    },
  }
}

/** The pairs of a batch that a miner picks. */
export function pickedRows(batch: Batch, mining: Miner): Rows {
  const seen = mining.metric ? batch.in(mining.metric) : batch
  const selection = mining.select(seen)
  const { distances, same, other } = batch
  if (selection.kind === 'all') {
    return {
      distances,
      same,
      other,
      positive: same.cast('float32'),
      negative: other.cast('float32'),
      ofTriplets: false,
      batch,
      positives: positivesOf(same.cast('float32'), batch),
    }
  }
  const { positive, negative } = pairsOf(selection, seen)
  return {
    distances,
    same: positive.greater(0),
    other: negative.greater(0),
    positive,
    negative,
    ofTriplets: selection.kind !== 'pairs',
    batch,
    positives: positivesOf(positive, batch),
  }
}

/** Up to this many positives an anchor, it is faster to look for them than to visit all pairs. */
const MOST_SLOTS = 16

function positivesOf(weight: Value, { distances, mostPositives: k }: Batch): Positives {
  const [n, m] = distances.shape as [number, number]
  if (k > MOST_SLOTS || 2 * k > m) return { weight, pick: (values) => values }
  const { values, indices } = weight.topK(k, 1)
  return {
    weight: values,
    pick: (of) => (of.shape[0] === n ? of.gatherElements(indices, 1) : of.reshape([m]).gather(indices)),
  }
}

/** How often each pair is picked, by itself or in triplets: [n, m]. */
export function pairsOf(
  selection: Exclude<Selection, { kind: 'all' }>,
  batch: Batch,
): { positive: Value; negative: Value } {
  if (selection.kind === 'pairs') return selection
  if (selection.kind === 'where') return tripletCountsByPair(batch, selection)
  const { distances } = batch
  const count = (columns: Value) => zeros(distances.shape, distances.detach()).scatterAdd(columns, selection.weight, 1)
  return { positive: count(selection.positive), negative: count(selection.negative) }
}

function together(a: Terms, b: Terms): Terms {
  return { sum: a.sum.add(b.sum), count: a.count.add(b.count), active: a.active.add(b.active), labels: a.labels }
}
