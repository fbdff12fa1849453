/** Where examples come from: image folders, splits, samplers. */

export { type AffineOptions, type Augmentation, affine } from './augmentation.ts'
export type { OpenImagesOptions } from './image-files.ts'
export { openImageFolder, openImages } from './image-folder.ts'
export { type OpenOptions, openSource } from './open.ts'
export { type ClassSampler, type ClassSamplerOptions, classSampler } from './sampler.ts'
export { itemsOf, labelsOf, type Source, subset } from './source.ts'
export { holdOutClasses } from './split.ts'
export { type TupleSampler, type TupleSamplerOptions, tupleSampler } from './tuple-sampler.ts'
export {
  type GradedMembers,
  holdOutTuples,
  type Members,
  pickTuples,
  type TupleMembers,
  type Tuples,
  tuples,
} from './tuples.ts'
export { type VectorsOptions, vectors } from './vectors.ts'
export { isVectorsFile, openVectorsFile } from './vectors-file.ts'
