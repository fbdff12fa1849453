/** How one example becomes a tensor. */
export { decodeImage, type ImageInput, imageExtensions, isImageFile, maxMegapixels } from './image.ts'
export { describeInput, type Input, typeOfRows } from './input.ts'
export type { VectorInput } from './vector.ts'
