/** Losses: formulas over distances that training lowers. */
export { type AngularOptions, angular } from './angular.ts'
export { type CircleOptions, circle } from './circle.ts'
export { angle, type CoSentOptions, type CosineMseOptions, coSENT, cosineMse } from './co-sent.ts'
export { type ContrastiveOptions, contrastive, type PairFormula, type PairFormulaOptions } from './contrastive.ts'
export { type CosineMarginTripletOptions, cosineMarginTriplet } from './cosine-margin-triplet.ts'
export { type CrossBatchMemoryOptions, crossBatchMemory } from './cross-batch-memory.ts'
export { type DynamicSoftMarginOptions, dynamicSoftMargin } from './dynamic-soft-margin.ts'
export { type FastApOptions, fastAP } from './fast-ap.ts'
export { type ClassBatch, type ClassLoss, fromClasses } from './from-classes.ts'
export { fromRows, type Part, type Rows, type RowsLoss } from './from-rows.ts'
export { type HistogramOptions, histogram } from './histogram.ts'
export { type IntraPairVarianceOptions, intraPairVariance } from './intra-pair-variance.ts'
export {
  type InstanceOptions,
  instance,
  type LargeMarginSoftmaxOptions,
  largeMarginSoftmax,
  sphereface,
} from './large-margin-softmax.ts'
export { generalizedLiftedStructure, type LiftedStructureOptions, liftedStructure } from './lifted-structure.ts'
export type {
  Built,
  Examples,
  GradedExamples,
  LabelledExamples,
  Loss,
  LossSize,
  PairExamples,
  Reducer,
  References,
  Settings,
  Terms,
  TripletDistances,
  TripletFormula,
  TupleExamples,
} from './loss.ts'
export { type ManifoldOptions, manifold } from './manifold.ts'
export { type MarginOptions, margin } from './margin.ts'
export { type MatryoshkaOptions, matryoshka } from './matryoshka.ts'
export { type MomentumEncoderOptions, momentumEncoder } from './momentum-encoder.ts'
export { type MultiSimilarityOptions, multiSimilarity } from './multi-similarity.ts'
export { type MultipleNegativesOptions, multipleNegatives, type NPairsOptions, nPairs } from './n-pairs.ts'
export { type NcaOptions, nca } from './nca.ts'
export { type NtxentOptions, ntxent } from './ntxent.ts'
export { type PnpOptions, pnp } from './pnp.ts'
export {
  type ProxyAnchorOptions,
  type ProxyNcaOptions,
  proxyAnchor,
  proxyNCA,
  type SoftTripleOptions,
  softTriple,
} from './proxies.ts'
export { type QuadrupletOptions, quadruplet } from './quadruplet.ts'
export { type RankedListOptions, rankedList } from './ranked-list.ts'
export { classWeighted, mean, meanNonZero, perAnchor, sum, type ThresholdOptions, threshold } from './reducers.ts'
export { type RegularizedOptions, regularized } from './regularized.ts'
export { centerInvariant, lp, type Regularizer, regularFace, sparseCenters, zeroMean } from './regularizers.ts'
export { selfSupervised } from './self-supervised.ts'
export { type SnrContrastiveOptions, snrContrastive } from './snr-contrastive.ts'
export {
  type ArcfaceOptions,
  arcface,
  type CosfaceOptions,
  cosface,
  type NormalizedSoftmaxOptions,
  normalizedSoftmax,
  type P2sGradOptions,
  p2sGrad,
  type SubCenterArcfaceOptions,
  subCenterArcface,
} from './softmax-margin.ts'
export { type SupconOptions, supcon } from './supcon.ts'
export {
  type ThresholdConsistentMarginOptions,
  thresholdConsistentMargin,
} from './threshold-consistent-margin.ts'
export { type TripletFormulaOptions, type TripletOptions, triplet } from './triplet.ts'
export { type TupletMarginOptions, tupletMargin } from './tuplet-margin.ts'
export { type VicregOptions, vicreg } from './vicreg.ts'
export { type WeightedLoss, weightedSum } from './weighted-sum.ts'
