/** Reads images from folders, where the folder that holds an image is its class. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { DataError, UsageError } from '../errors.ts'
import { decodeImage, type ImageInput } from '../inputs/image.ts'
import { type FoundImage, findImages } from './find-images.ts'
import { throwIfAborted } from './interrupt.ts'
import { mapConcurrently } from './map-concurrently.ts'
import { type Example, holdImages, type Source } from './source.ts'

export interface OpenImagesOptions {
  /** What every image is brought to. */
  readonly input: ImageInput
  /** Told of each file that is left out; `console.warn` by default. */
  readonly warn?: (message: string) => void
  /** Stops the reading. */
  readonly signal?: AbortSignal
}

/** Images on their way at once: libuv decodes four of them, unless told otherwise, while the next are read. */
const inFlight = 8

/**
 * Reads all images below a folder into memory, sorted by their paths below it.
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
  return decodeAll(await findImages(folder, options), options)
}

/**
 * Reads images and folders of images into memory, in the order of `paths`, each folder as `openImageFolder` reads it.
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
  const wanted: Wanted[][] = []
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined)
    if (!found) throw new DataError(`${path} does not exist or cannot be read: expected an image or a folder of images`)
    const image = { path, name: basename(path), class: '', required: true }
    wanted.push(found.isFile() ? [image] : await findImages(path, options))
  }
  return decodeAll(wanted.flat(), options)
}

type Wanted = FoundImage & { readonly required?: boolean }

async function decodeAll(wanted: readonly Wanted[], options: OpenImagesOptions): Promise<Source<ImageInput>> {
  const { input, warn = console.warn, signal } = options
  const decoded = await mapConcurrently(wanted, inFlight, async (image): Promise<Example | DataError> => {
    throwIfAborted(signal)
    try {
      return { ...image, bytes: await decodeImage(image.path, input) }
    } catch (error) {
      if (error instanceof DataError && !image.required) return error
      throw error
    }
  })
  const refused = decoded.filter((result) => result instanceof DataError)
  const examples = decoded.filter((result): result is Example => !(result instanceof DataError))
  if (examples.length === 0)
    throw new DataError(`None of the images found (${wanted.length}) can be used. The first: ${refused[0]!.message}`)

  for (const { message } of refused) warn(`${message} (left out)`)
  return holdImages(input, examples)
}
