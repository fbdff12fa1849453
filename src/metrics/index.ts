/** Distances between embeddings. */
export { type ConvertMarginOptions, convertMargin } from './convert-margin.ts'
export { dot } from './dot.ts'
export { euclidean, squaredEuclidean } from './euclidean.ts'
export { manhattan } from './manhattan.ts'
export type { Metric } from './metric.ts'
export { snr } from './snr.ts'
export { angular, chord, cosine, negativeCosine, squaredChord } from './sphere.ts'
