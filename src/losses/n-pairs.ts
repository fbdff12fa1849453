/** Losses that take the other pairs of a batch as negatives: N-pairs and multiple negatives ranking. */
import { UsageError } from '../errors.ts'
import { concat, type Value } from '../graph/value.ts'
import { dot } from '../metrics/dot.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { batchOf } from './batch.ts'
import type { Examples, Loss, Reducer, Settings } from './loss.ts'
import { checkPositive } from './margin.ts'
import { mean, termsOf } from './reducers.ts'
import { each, logSumExp, numbers } from './rows.ts'

export interface NPairsOptions {
  /** Smaller is closer; `dot` if left out. */
  readonly metric?: Metric
  readonly reduce?: Reducer
}

/**
 * N-pairs loss: an anchor's positive against the positives of all other pairs.
 *
 *   L = log(1 + Σ_{j≠i} exp(d(aᵢ, pᵢ) − d(aᵢ, pⱼ)))
 *
 * Sohn, "Improved Deep Metric Learning with Multi-class N-pair Loss Objective", 2016, eq. 6, with d = −⟨a, p⟩. Of a
 * labelled batch the first two of each class are its pair; pairs and tuples are taken as they are, a tuple's negative as
 * one negative more for every anchor.
 */
export function nPairs({ metric = dot, reduce = mean }: NPairsOptions = {}): Loss {
  return inBatch({ name: 'nPairs', metric, settings: {}, scale: 1, symmetric: false, reduce })
}

export interface MultipleNegativesOptions extends NPairsOptions {
  /** What distances are multiplied with, above 0; 20 if left out. */
  readonly scale?: number
  /** Tells the anchor of a positive from the other anchors too; false if left out. */
  readonly symmetric?: boolean
}

/**
 * Multiple negatives ranking: the softmax cross-entropy of finding an anchor's positive among all positives of the batch,
 * and where it is symmetric, a positive's anchor among all anchors, half each.
 *
 *   L = −log( exp(−s·d(aᵢ, pᵢ)) / Σⱼ exp(−s·d(aᵢ, pⱼ)) )
 *
 * Henderson and others, "Efficient Natural Language Response Suggestion for Smart Reply", 2017, section 4.4; symmetric as in
 * Radford and others, "Learning Transferable Visual Models From Natural Language Supervision", 2021. The metric is `cosine`
 * if left out. Batches are taken as by `nPairs`.
 *
 * @throws UsageError if the scale is not above 0.
 */
export function multipleNegatives({
  metric = cosine,
  scale = 20,
  symmetric = false,
  reduce = mean,
}: MultipleNegativesOptions = {}): Loss {
  checkPositive({ scale })
  return inBatch({ name: 'multipleNegatives', metric, settings: { scale, symmetric }, scale, symmetric, reduce })
}

interface InBatch {
  readonly name: string
  readonly metric: Metric
  readonly settings: Settings
  readonly scale: number
  readonly symmetric: boolean
  readonly reduce: Reducer
}

function inBatch({ name, metric, settings, scale, symmetric, reduce }: InBatch): Loss {
  return {
    name,
    metric,
    settings: { ...settings, reduce: reduce.name },
    build(examples) {
      const { distances, target, anchors, candidates, labels, batch } = pairsIn(examples, metric, name)
      const closeness = distances.mul(-scale)
      const own = closeness.mul(target)
      const direction = (axis: 0 | 1, counted: Value, among: Value | undefined) => {
        const weight = counted.cast('float32')
        const everything = among ? logSumExp(closeness, among, axis) : closeness.logSumExp([axis])
        const terms = everything.sub(own.sum([axis]))
        return reduce.reduce(termsOf(reduce, terms.slice(0, 0, weight.shape[0]!), weight, labels))
      }
      const forwards = direction(1, anchors, candidates?.unsqueeze([0]))
      if (!symmetric) return { value: forwards, batch }
      // A tuple's negative is no positive of any anchor: its column is told from none.
      const backwards = direction(0, candidates ?? anchors, candidates ? anchors.unsqueeze([1]) : undefined)
      return { value: forwards.add(backwards).div(2), batch }
    },
  }
}

interface Pairs {
  /** [n, m] */
  readonly distances: Value
  /** [n, m] float32: 1 where a column is the row's positive. */
  readonly target: Value
  /** [n]: which rows are anchors; bool, or 1 for each. */
  readonly anchors: Value
  /** [m] bool: which columns are positives; undefined where all are. */
  readonly candidates?: Value | undefined
  readonly labels?: Value | undefined
  readonly batch?: ReturnType<typeof batchOf>
}

function pairsIn(examples: Examples, metric: Metric, name: string): Pairs {
  if (examples.kind === 'graded') {
    throw new UsageError(`${name} takes labelled batches, pairs or tuples, found graded pairs. Use coSENT or angle.`)
  }
  if (examples.kind === 'labelled') {
    if (examples.references) {
      throw new UsageError(`${name} takes the pairs of one batch, found references. Use ntxent with them.`)
    }
    const batch = batchOf(examples, metric)
    const { distances, same } = batch
    const n = distances.shape[0]!
    const row = numbers(n, examples.labels)
    const earlier = same
      .and(row.unsqueeze([1]).greater(row.unsqueeze([0])))
      .cast('float32')
      .sum([1])
    const later = same.cast('float32').sum([1]).greater(earlier)
    const first = earlier.less(0.5).and(later)
    const second = earlier.equal(1)
    const target = same
      .and(first.unsqueeze([1]))
      .and(second.unsqueeze([0]))
      .cast('float32')
    return { distances, target, anchors: first, candidates: second, labels: examples.labels, batch }
  }
  const { anchor, positive } = examples
  const others = examples.kind === 'tuples' ? concat([positive, examples.negative], 0) : positive
  const n = anchor.shape[0]!
  const [row, column] = [numbers(n, anchor), numbers(others.shape[0]!, anchor)]
  const target = row
    .unsqueeze([1])
    .equal(column.unsqueeze([0]))
    .cast('float32')
  return { distances: metric.matrix(anchor, others), target, anchors: each(anchor) }
}
