/** What a miner is: it says which pairs or triplets of a batch count, and never lists all of them. */
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Shape } from '../tensor.ts'

/** The batch that a miner sees: anchors are rows, the examples they are compared with are columns. */
export interface MiningBatch {
  /** [n, m], in the loss's metric, or in the miner's own where it has one. */
  readonly distances: Value
  /** [n, m] bool: of the anchor's class, and not the anchor itself. */
  readonly same: Value
  /** [n, m] bool: of another class. */
  readonly other: Value
  /** How many positives an anchor has at most. */
  readonly mostPositives: number
  /** d, the length of an embedding; 1 where only distances are known. */
  readonly dimension: number
  /** Numbers drawn anew for each batch. */
  readonly random: RandomInputs
}

/** Numbers that are drawn outside of the graph and fed to it, so that a seed gives the same ones again. */
export interface RandomInputs {
  /** Float32 from 0 to less than 1, each independent of the others. */
  uniform(shape: Shape): Value
}

/** The distances of triplets, of any shapes that broadcast. */
export interface Triplet {
  readonly ap: Value
  readonly an: Value
  readonly pn: Value
}

export type Selection =
  /** Every pair and triplet of the batch. */
  | { readonly kind: 'all' }
  /** The triplets whose distances give true. */
  | { readonly kind: 'where'; readonly keep: (distances: Triplet) => Value }
  /** k triplets for each anchor: the columns of the positive and the negative, int64 [n, k], and their weight [n, k]. */
  | { readonly kind: 'triplets'; readonly positive: Value; readonly negative: Value; readonly weight: Value }
  /** How much each positive and each negative pair counts: float32 [n, m], 0 for those left out. */
  | { readonly kind: 'pairs'; readonly positive: Value; readonly negative: Value }

export interface Miner {
  readonly name: string
  readonly settings?: Readonly<Record<string, number | string | boolean>>
  /** The metric it looks at; the loss's if left out. */
  readonly metric?: Metric
  select(batch: MiningBatch): Selection
}
