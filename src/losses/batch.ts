/** Examples as rows of distances and masks: what losses and miners look at. */
import { UsageError } from '../errors.ts'
import { concat, constant, type Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { MiningBatch, RandomInputs } from '../mining/miner.ts'
import type { Examples, LabelledExamples, TupleExamples } from './loss.ts'
import { numbers } from './rows.ts'

export interface Batch extends MiningBatch {
  /** d(p, n) of the examples that the anchors are compared with: [m, m]. Computed where it is asked for. */
  readonly between: Value
  /** d(p, n) of tuples [n, 1]; undefined for labelled examples. */
  readonly pn?: Value | undefined
  /** The lengths of what each anchor is compared with: [1, m] for all anchors, or [n, m]. */
  readonly lengths: Value
  /** [n] int32, where there are labels. */
  readonly labels?: Value | undefined
  /** [n, m] bool: where a column is the anchor itself; undefined where the anchors are not among the columns. */
  readonly self?: Value | undefined
  /** The same batch in another metric. */
  in(metric: Metric): Batch
}

/** @throws UsageError if the examples are neither labelled nor tuples. */
export function rowsOf(examples: Examples, metric: Metric, name: string): Batch {
  if (examples.kind === 'labelled') return batchOf(examples, metric)
  return tuplesOf(tuplesOnly(examples, name), metric)
}

export function batchOf(examples: LabelledExamples, metric: Metric): Batch {
  const { embeddings, labels, largestClass, references, random = noRandom } = examples
  const n = labels.shape[0]!
  const [others, otherLabels] = [references?.embeddings ?? embeddings, references?.labels ?? labels]
  const m = otherLabels.shape[0]!
  const own = references ? references.own : 0
  const equal = labels.unsqueeze([1]).equal(otherLabels.unsqueeze([0]))
  const present = references ? otherLabels.greaterEqual(0).unsqueeze([0]) : undefined
  const self =
    own === undefined
      ? undefined
      : numbers(n, labels, own)
          .unsqueeze([1])
          .equal(numbers(m, otherLabels).unsqueeze([0]))
  const together = self ? equal.and(self.not()) : equal
  const apart = equal.not()
  const most = Math.min((references ? references.largestClass : largestClass) ?? m, m)
  let [distances, between]: [Value?, Value?] = []
  return {
    get distances() {
      distances ??= metric.matrix(embeddings, others)
      return distances
    },
    same: present ? together.and(present) : together,
    other: present ? apart.and(present) : apart,
    mostPositives: Math.max(1, most - (own === undefined ? 0 : 1)),
    dimension: embeddings.shape[1]!,
    random,
    labels,
    self,
    get between() {
      if (!references) return this.distances
      between ??= metric.matrix(others, others)
      return between
    },
    get lengths() {
      return others.sumSquare([1]).sqrt().unsqueeze([0])
    },
    in: (other) => batchOf(examples, other),
  }
}

/** Each tuple as a row of two columns: its positive and its negative. */
function tuplesOf(tuples: TupleExamples, metric: Metric): Batch {
  const { anchor, positive, negative } = tuples
  const [n, dimension] = anchor.shape as [number, number]
  const parts = [metric.pairwise(anchor, positive), metric.pairwise(anchor, negative)]
  const distances = concat(
    parts.map((part) => part.unsqueeze([1])),
    1,
  )
  const column = (which: number) =>
    constant(
      'bool',
      [n, 2],
      Array.from({ length: 2 * n }, (_, i) => Number(i % 2 === which)),
    )
  return {
    distances,
    same: column(0),
    other: column(1),
    mostPositives: 1,
    dimension,
    random: noRandom,
    get pn() {
      return metric.pairwise(positive, negative).unsqueeze([1])
    },
    get lengths() {
      const parts = [positive, negative].map((part) => part.sumSquare([1], true).sqrt())
      return concat(parts, 1)
    },
    get between(): Value {
      throw new UsageError('Tuples have no distances but those of their own parts.')
    },
    in: (other) => tuplesOf(tuples, other),
  }
}

/** @throws UsageError if the examples are not tuples. */
export function tuplesOnly(examples: Exclude<Examples, LabelledExamples>, name: string): TupleExamples {
  if (examples.kind === 'tuples') return examples
  throw new UsageError(
    examples.kind === 'graded'
      ? `${name} takes labelled batches or tuples, found graded pairs. Use coSENT, angle or cosineMse.`
      : `${name} takes labelled batches or tuples, found pairs without a negative. Use multipleNegatives or nPairs.`,
  )
}

const noRandom: RandomInputs = {
  uniform() {
    throw new UsageError('This miner draws at random, and nothing is drawn here. Give `random`, or use another miner.')
  },
}
