/** What training leaves: encoder and metric in one directory, to embed, compare, evaluate and search with. */
export type { Description, TrainingSummary } from './description.ts'
export { type EmbeddedItems, writeEmbeddings } from './embeddings-file.ts'
export { exportEncoder } from './export.ts'
export {
  type AboutIndex,
  addToIndex,
  createIndex,
  type Index,
  type IndexMatch,
  type IndexOptions,
  type IndexSearchOptions,
  type OpenIndexOptions,
  openIndex,
  type Removed,
  removeFromIndex,
} from './indexed.ts'
export {
  type CalibrateModelOptions,
  type Comparison,
  type EvaluateModelOptions,
  loadModel,
  type Match,
  type Model,
  type ModelOptions,
  type Role,
  type SearchResult,
  type SourceLike,
  storeCalibration,
} from './model.ts'
export { type ReadEncoderOptions, readEncoder } from './read-encoder.ts'
export type { GradedItem } from './relevance.ts'
