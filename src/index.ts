/** Isometry: metric learning in which the metric that trains the encoder is the metric that evaluates and searches. */
export { checkLoss, type Report } from './checking/index.ts'
export * as data from './data/index.ts'
export * as encoders from './encoders/index.ts'
export * from './errors.ts'
export {
  type Calibration,
  calibrate,
  cluster,
  type EmbeddedTuples,
  type Evaluation,
  evaluate,
  evaluateTuples,
  type LabelledEmbeddings,
  type TupleEvaluation,
  type Verification,
  verify,
} from './evaluation/index.ts'
export * as losses from './losses/index.ts'
export * as metrics from './metrics/index.ts'
export * as miners from './mining/index.ts'
export {
  type AboutIndex,
  addToIndex,
  type Comparison,
  createIndex,
  type EmbeddedItems,
  exportEncoder,
  type Index,
  type IndexMatch,
  loadModel,
  type Match,
  type Model,
  openIndex,
  type ReadEncoderOptions,
  type Role,
  readEncoder,
  removeFromIndex,
  type SearchResult,
  writeEmbeddings,
} from './model/index.ts'
export * as optimizers from './optimizers/index.ts'
export { type ReportOptions, reportOf, writeReport } from './report/index.ts'
export { type Neighbours, nearest } from './search/index.ts'
export {
  type Batch,
  createStep,
  DivergedError,
  type OnCollapse,
  type Step,
  type StepRecord,
  type TrainingEvent,
  type TrainOptions,
  train,
  training,
  valueAndGradient,
} from './training/index.ts'
