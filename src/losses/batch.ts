/** A labelled batch as distances and masks. */
import { constant } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { MiningBatch } from '../mining/miner.ts'
import type { LabelledExamples } from './loss.ts'

export interface Batch extends MiningBatch {
  /** How many positives an anchor has at most. */
  readonly mostPositives: number
}

export function batchOf({ embeddings, labels, largestClass }: LabelledExamples, metric: Metric): Batch {
  const n = labels.shape[0]!
  const equal = labels.unsqueeze([1]).equal(labels.unsqueeze([0]))
  // The row numbers hang on the labels: of constants alone, the runtime would fold and keep a matrix of n² bits.
  const rows = constant('int32', [n], [...Array(n).keys()]).add(labels.sub(labels))
  const self = rows.unsqueeze([1]).equal(rows.unsqueeze([0]))
  return {
    distances: metric.matrix(embeddings, embeddings),
    same: equal.and(self.not()),
    other: equal.not(),
    mostPositives: Math.max(1, Math.min(largestClass ?? n, n) - 1),
  }
}
