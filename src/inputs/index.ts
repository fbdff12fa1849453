/** How one example becomes a tensor. */
export { decodeImage, type ImageInput, imageExtensions, isImageFile, maxMegapixels } from './image.ts'
