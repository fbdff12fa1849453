/** Where examples come from: image folders, splits, samplers. */

export { type AffineOptions, affine, type CropOptions, crop } from './augmentations/affine.ts'
export { type Augmentation, compose } from './augmentations/augmentation.ts'
export { type BlurOptions, blur } from './augmentations/blur.ts'
export { augmentationsByName } from './augmentations/by-name.ts'
export { type EraseOptions, erase } from './augmentations/erase.ts'
export { type FlipOptions, flip } from './augmentations/flip.ts'
export { type LightOptions, light } from './augmentations/light.ts'
export type { ClassWeighting, DrawOptions } from './draw-classes.ts'
export { countShared } from './duplicates.ts'
export type { OpenImagesOptions } from './image-files.ts'
export { openImageFolder, openImages } from './image-folder.ts'
export { byRole, bySplit, type Named, type OpenOptions, openExamples, openSource } from './open.ts'
export { type ClassSampler, type ClassSamplerOptions, classSampler } from './sampler.ts'
export { itemsOf, labelsOf, type Source, subset } from './source.ts'
export { holdOutClasses, holdOutExamples } from './split.ts'
export type { ColumnOptions } from './tables/columns.ts'
export {
  isTableFile,
  type OpenedTable,
  type OpenTableOptions,
  openTable,
  type Query,
  type Table,
} from './tables/open-table.ts'
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
