/** What a miner is: it says which triplets of a batch count, and never lists them. */
import type { Value } from '../graph/value.ts'

/** The batch that a miner sees: anchors are rows, the examples they are compared with are columns. */
export interface MiningBatch {
  /** [n, m], in the loss's metric. */
  readonly distances: Value
  /** [n, m] bool: of the anchor's class, and not the anchor itself. */
  readonly same: Value
  /** [n, m] bool: of another class. */
  readonly other: Value
}

export type Selection =
  /** Every triplet of the batch. */
  | { readonly kind: 'all' }
  /** The triplets whose distances, of any shapes that broadcast, give true. */
  | { readonly kind: 'where'; readonly keep: (distances: { readonly ap: Value; readonly an: Value }) => Value }
  /** k triplets for each anchor: the columns of the positive and the negative, int64 [n, k], and their weight [n, k]. */
  | { readonly kind: 'triplets'; readonly positive: Value; readonly negative: Value; readonly weight: Value }

export interface Miner {
  readonly name: string
  select(batch: MiningBatch): Selection
}
