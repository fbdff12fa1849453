/** Distances between embeddings. */
export { cosine } from './cosine.ts'
export { euclidean, squaredEuclidean } from './euclidean.ts'
export type { Metric } from './metric.ts'
