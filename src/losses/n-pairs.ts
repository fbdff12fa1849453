/** Losses that take the other pairs of a batch as negatives: N-pairs and multiple negatives ranking. */
import { UsageError } from '../errors.ts'
import { concat, constant, type Value } from '../graph/value.ts'
import { dot } from '../metrics/dot.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { checkPositive } from '../settings.ts'
import type { Examples, LabelledExamples, Loss, Reducer, Settings } from './loss.ts'
import { mean, termsOf } from './reducers.ts'
import { logSumExp, numbers, ones } from './rows.ts'

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
    over: 'batch',
    build(examples) {
      const { anchors, positives, weight, labels } = pairsIn(examples, name)
      const [n, m] = [anchors.shape[0]!, positives.shape[0]!]
      const closeness = metric.matrix(anchors, positives).mul(-scale)
      const [row, column] = [numbers(n, anchors), numbers(m, anchors)].map((each, i) => each.unsqueeze([1 - i]))
      const own = closeness.mul(row!.equal(column!).cast('float32')).sum([1])
      const counted = weight ?? ones(anchors)
      const direction = (facing: Value) => {
        const everything = weight ? logSumExp(facing, weight.greater(0).unsqueeze([0])) : facing.logSumExp([1])
        return reduce.reduce(termsOf(reduce, everything.slice(0, 0, n).sub(own), counted, labels))
      }
      const forwards = direction(closeness)
      // A tuple's negative is no positive of any anchor: its own direction is left out.
      return { value: symmetric ? forwards.add(direction(closeness.transpose())).div(2) : forwards }
    },
  }
}

interface Pairs {
  /** [n, d] */
  readonly anchors: Value
  /** [m, d]: row i is the positive of anchor i, rows from n on are negatives of all. */
  readonly positives: Value
  /** [n]: 1 for each pair, 0 where a row holds none; undefined where all do. */
  readonly weight?: Value
  /** Of the anchors [n]. */
  readonly labels?: Value
}

function pairsIn(examples: Examples, name: string): Pairs {
  if (examples.kind === 'graded') {
    throw new UsageError(`${name} takes labelled batches, pairs or tuples, found graded pairs. Use coSENT or angle.`)
  }
  if (examples.kind === 'labelled') {
    if (examples.references) {
      throw new UsageError(`${name} takes the pairs of one batch, found references. Use ntxent with them.`)
    }
    return firstTwo(examples)
  }
  const { anchor, positive } = examples
  const positives = examples.kind === 'tuples' ? concat([positive, examples.negative], 0) : positive
  return { anchors: anchor, positives }
}

/** The first two of each class, by sorting: there are no more pairs than half the rows. */
function firstTwo({ embeddings, labels }: LabelledExamples): Pairs {
  const n = labels.shape[0]!
  if (n < 2) throw new UsageError('A batch of one example has no pair.')
  const keys = labels.cast('int64').mul(n).add(numbers(n, labels).cast('int64'))
  const order = keys.topK(n, 0, { largest: false }).indices
  const sorted = labels.gather(order)
  const changes = sorted
    .slice(0, 1, n)
    .equal(sorted.slice(0, 0, n - 1))
    .not()
  const start = concat([sorted.slice(0, 0, 1).equal(sorted.slice(0, 0, 1)), changes], 0)
  // The first of a class, with another of it behind.
  const first = start
    .slice(0, 0, n - 1)
    .and(changes.not())
    .cast('float32')
  const { values: weight, indices: places } = first.topK(Math.floor(n / 2), 0)
  const [anchors, seconds] = [places, places.add(constant('int64', [], [1]))].map((each) => order.gather(each))
  return {
    anchors: embeddings.gather(anchors!),
    positives: embeddings.gather(seconds!),
    weight,
    labels: labels.gather(anchors!),
  }
}
