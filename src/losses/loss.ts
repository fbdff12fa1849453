/** What a loss is: a formula over embeddings, with the sums that every way of reducing it needs. */
import type { Variables } from '../encoders/encoder.ts'
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Miner, MiningBatch, RandomInputs } from '../mining/miner.ts'

export type Values = Readonly<Record<string, Value>>

/** What a loss is about. */
export type Examples = LabelledExamples | TupleExamples | PairExamples | GradedExamples

/** A batch of labelled embeddings. */
export interface LabelledExamples {
  readonly kind: 'labelled'
  /** [n, d] float32. */
  readonly embeddings: Value
  /** [n] int32: equal numbers belong together. Losses with class weights take them as classes, from 0. */
  readonly labels: Value
  /** No class has more members in the batch than this; n if left out. The smaller, the less there is to compute. */
  readonly largestClass?: number | undefined
  /** What the batch is compared with; itself if left out. */
  readonly references?: References | undefined
  /** [n] int32: which example a row shows, the same for its views and from batch to batch; for losses without labels. */
  readonly identities?: Value | undefined
  /** Where what is drawn at random comes from; for miners that draw. */
  readonly random?: RandomInputs | undefined
}

/** Examples that a batch is compared with in place of itself. */
export interface References {
  /** [m, d] float32. */
  readonly embeddings: Value
  /** [m] int32; below 0 where a row holds no example. */
  readonly labels: Value
  /** Row i of the batch is row `own + i` of the references too, and is not compared with itself. Left out where it is not. */
  readonly own?: number | undefined
  /** No class has more members among the references than this; m if left out. */
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

/** Pairs that belong together, row i of each [n, d]; every other row's positive is a negative. */
export interface PairExamples {
  readonly kind: 'pairs'
  readonly anchor: Value
  readonly positive: Value
}

/** Pairs with how similar they are: row i of `a` and `b` [n, d] has `score` [n], float32, larger for more similar. */
export interface GradedExamples {
  readonly kind: 'graded'
  readonly a: Value
  readonly b: Value
  readonly score: Value
}

/** For each anchor [n]: the sum of its terms, how many there are, and how many are above zero. */
export interface Terms {
  readonly sum: Value
  readonly count: Value
  readonly active: Value
  /** [n] int32, where the batch has labels. */
  readonly labels?: Value | undefined
}

/** From the terms of a batch to the one number that training lowers. */
export interface Reducer {
  readonly name: string
  /** Which terms count, of any shape, as a condition on each; all if left out. */
  keep?(terms: Value): Value
  reduce(terms: Terms): Value
}

/** The distances of triplets, of any shapes that broadcast, in the loss's metric. */
export interface TripletDistances {
  /** d(a, p) */
  readonly ap: Value
  /** d(a, n) */
  readonly an: Value
  /** d(p, n). Over a labelled batch it costs a second visit of all triplets. */
  readonly pn: Value
}

/** From the distances of triplets to the term of each; element by element, so that blocks of them can be worked through. */
export type TripletFormula = (distances: TripletDistances) => Value

export type Settings = Readonly<Record<string, number | string | boolean | readonly number[]>>

/** What the variables of a loss are made for. */
export interface LossSize {
  /** d, the length of an embedding. */
  readonly dimension: number
  /** How many classes there are in training. */
  readonly classes: number
  /** Of what is drawn at the beginning. */
  readonly seed: number
}

/** A loss of one batch. */
export interface Built {
  /** The loss, a scalar. */
  readonly value: Value
  /** What it was made of, where there is such a thing, to be watched without being computed again. */
  readonly terms?: Terms | undefined
  readonly batch?: MiningBatch | undefined
  /** The new values of the variables that are not trained. */
  readonly state?: Values | undefined
}

export interface Loss {
  readonly name: string
  readonly metric: Metric
  /** What it was made with, by name, to be written down beside a model. */
  readonly settings?: Settings
  /**
   * What a term is about: a triplet, all of an anchor's pairs, an example and the weights of the classes, or the whole batch.
   * Checks go by it; a loss that does not say is taken for one over triplets.
   */
  readonly over?: 'triplets' | 'anchors' | 'classes' | 'batch'
  /** The term of each triplet, for losses that are a formula over triplets. */
  readonly formula?: TripletFormula
  /** The name of the variable that holds a row (or several in a row) for each class, where there is one. */
  readonly classWeights?: string
  /** Between which the scores of graded pairs lie that it is defined for; any if left out. */
  readonly scores?: readonly [number, number]
  /** So many views of each example make a batch, one after the other: rows i and n/views + i belong together. */
  readonly views?: number
  /** The batch is compared with what a slow encoder makes of it, which keeps this share of its parameters at each step. */
  readonly momentum?: number
  /** Tensors of the loss's own: trained with the encoder's, or carried from step to step by the loss itself. */
  variables?(size: LossSize): Variables
  /** The same loss with another choice of triplets or pairs, for losses that choose. */
  withMining?(mining: Miner): Loss
  /**
   * @param variables a value for each of the loss's variables.
   * @throws UsageError if the loss is not defined for such examples.
   */
  build(examples: Examples, variables?: Values): Built
}
