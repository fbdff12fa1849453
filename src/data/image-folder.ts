/** Reads images from folders, where the folder that holds an image is its class. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { DataError, UsageError } from '../errors.ts'
import type { ImageInput } from '../inputs/image.ts'
import { findImages } from './find-images.ts'
import { type ImageExample, type OpenImagesOptions, openImageFiles } from './image-files.ts'
import type { Source } from './source.ts'

/**
 * Reads all images below a folder sorted by their paths below it.
 *
 * The class of an image is the path of its folder below `folder`, however deep and always with forward slashes; images
 * directly in `folder` have none. PNG, JPEG and WebP are known by their ending, in any case. Hidden files and folders
 * are left out, links are followed. A file that cannot be decoded is warned about and left out.
 *
 * @throws DataError if `folder` is not a folder that can be read, or no image in it can be decoded
 * @throws InterruptedError once `signal` is aborted
 * @throws UsageError if `input` is no size for an image
 */
export async function openImageFolder(folder: string, options: OpenImagesOptions): Promise<Source<ImageInput>> {
  return openImageFiles(await findImages(folder, options), options)
}

/**
 * Reads images and folders of images in the order of `paths`, each folder as `openImageFolder` reads it.
 *
 * Classes of the same name in several folders are one class. An image that is named itself has no class and may have
 * any ending, but it must be decodable, because it was asked for.
 *
 * @throws DataError as `openImageFolder`, and if an image that `paths` names cannot be decoded
 * @throws InterruptedError once `signal` is aborted
 * @throws UsageError if `paths` is empty or `input` is no size for an image
 */
export async function openImages(paths: readonly string[], options: OpenImagesOptions): Promise<Source<ImageInput>> {
  if (paths.length === 0) throw new UsageError('No paths were given: name images or folders of images')
  const wanted: ImageExample[][] = []
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined)
    if (!found) throw new DataError(`${path} does not exist or cannot be read: expected an image or a folder of images`)
    const image = { path, name: basename(path), class: '', required: true }
    wanted.push(found.isFile() ? [image] : await findImages(path, options))
  }
  return openImageFiles(wanted.flat(), options)
}
