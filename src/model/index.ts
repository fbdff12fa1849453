/** What training leaves: encoder and metric in one directory, to embed, compare, evaluate and search with. */
export type { Description, TrainingSummary } from './description.ts'
export { type EmbeddedItems, writeEmbeddings } from './embeddings-file.ts'
export { exportEncoder } from './export.ts'
export {
  loadModel,
  type Match,
  type Model,
  type ModelOptions,
  type Role,
  type SearchResult,
  type SourceLike,
} from './model.ts'
export { type ReadEncoderOptions, readEncoder } from './read-encoder.ts'
