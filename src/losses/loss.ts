/** What a loss is: a formula over distances, with the sums that every way of reducing it needs. */
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Miner, MiningBatch } from '../mining/miner.ts'

/** What a loss is about. */
export type Examples = LabelledExamples | TupleExamples

/** A batch of labelled embeddings. */
export interface LabelledExamples {
  readonly kind: 'labelled'
  /** [n, d] float32. */
  readonly embeddings: Value
  /** [n] int32: equal numbers belong together. */
  readonly labels: Value
  /** No class has more members in the batch than this; n if left out. The smaller, the less there is to compute. */
  readonly largestClass?: number | undefined
}

/** Tuples that are given one by one: row i of each belongs together. All [n, d] float32. */
export interface TupleExamples {
  readonly kind: 'tuples'
  readonly anchor: Value
  /** Of the anchor's class. */
  readonly positive: Value
  /** Of another class. */
  readonly negative: Value
  /** Of a third class; for losses over quadruplets. */
  readonly secondNegative?: Value | undefined
}

/** For each anchor [n]: the sum of its terms, how many there are, and how many are above zero. */
export interface Terms {
  readonly sum: Value
  readonly count: Value
  readonly active: Value
}

/** From the terms of a batch to the one number that training lowers. */
export interface Reducer {
  readonly name: string
  reduce(terms: Terms): Value
}

/** The distances of triplets, of any shapes that broadcast, in the loss's metric. */
export interface TripletDistances {
  /** d(a, p) */
  readonly ap: Value
  /** d(a, n) */
  readonly an: Value
  /** d(p, n); for tuples only. */
  readonly pn: Value
}

/** From the distances of triplets to the term of each; element by element, so that blocks of them can be worked through. */
export type TripletFormula = (distances: TripletDistances) => Value

export interface Loss {
  readonly name: string
  readonly metric: Metric
  /** What it was made with, by name, to be written down beside a model. */
  readonly settings?: Readonly<Record<string, number | string | boolean>>
  /** The term of each triplet, for losses that are a formula over triplets. */
  readonly formula?: TripletFormula
  /** The same loss with another choice of triplets, for losses that choose. */
  withMining?(mining: Miner): Loss
  /** @throws UsageError if the loss is not defined for such examples. */
  build(examples: Examples): {
    /** The loss, a scalar. */
    readonly value: Value
    /** What it was made of, where there is such a thing, to be watched without being computed again. */
    readonly terms?: Terms
    readonly batch?: MiningBatch
  }
}
