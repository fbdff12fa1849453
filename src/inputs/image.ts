/** How an image becomes a tensor: decoded, turned upright, brought to sRGB on white, stretched to one size. */
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import sharp from 'sharp'
import { DataError, UsageError } from '../errors.ts'

/** The image that an encoder takes: `channels` is 1 (gray) or 3 (sRGB), `height` and `width` are in pixels. */
export interface ImageInput {
  readonly kind: 'image'
  readonly channels: 1 | 3
  readonly height: number
  readonly width: number
  readonly resize: 'stretch'
}

/** A part of an image in whole pixels, from the upper left corner of the image as it is seen. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The endings of file names that are taken for images, in lower case. */
export const imageExtensions: readonly string[] = ['.png', '.jpg', '.jpeg', '.webp']

/** Whether a file's name ends like an image's, in any case. */
export const isImageFile = (name: string): boolean => imageExtensions.includes(extname(name).toLowerCase())

/** Images of more pixels than this are refused by their header, before any memory is set aside for them. */
export const maxMegapixels = 100

/**
 * One image as planar bytes `[channels, height, width]`, each 0..255.
 *
 * The EXIF orientation is applied, any colour space and depth becomes 8-bit sRGB or gray, and what is transparent shows
 * white. Gray is the luminance of linear light (CIE Y), so red is 127, not the 76 of a weighted sum of R, G and B.
 *
 * The image is stretched to the size of the input, whatever its proportions: that keeps the whole image, where cropping
 * would lose its edges, and invents no pixels, where padding would add a border for an encoder to learn.
 *
 * Of an image with a box, that part alone is taken.
 *
 * What the bytes say decides the format, not the file's name; of an animation, the first frame counts.
 *
 * @param file a path, or the bytes of an image file
 * @throws DataError in one line that names the file: it cannot be read or decoded, is truncated, or has more than
 * `maxMegapixels`, or the box is not inside of it
 * @throws UsageError if `input` is not a size in whole pixels with 1 or 3 channels
 */
export async function decodeImage(file: string | Uint8Array, input: ImageInput, box?: Box): Promise<Uint8Array> {
  checkImageInput(input)
  const { channels, height, width } = input
  const { image, name } = await openImage(file, box)
  const { x, y, ...extent } = box ?? { x: 0, y: 0, width: 0, height: 0 }
  const upright = image.autoOrient().flatten({ background: 'white' })
  const part = box ? upright.extract({ left: x, top: y, ...extent }) : upright
  const resized = part.resize(width, height, { fit: 'fill' })
  const converted = channels === 1 ? resized.greyscale() : resized.toColourspace('srgb')
  const pixels = await converted.raw().toBuffer().catch(fail(name, 'decoded'))
  return planar(pixels, channels)
}

/**
 * How many bytes an image file has, which is looked at as far as its header.
 *
 * @throws DataError as `decodeImage`, but for what only the pixels show.
 */
export async function measureImage(file: string, box?: Box): Promise<number> {
  return (await openImage(file, box)).bytes.length
}

/** An image whose header is in order. */
async function openImage(file: string | Uint8Array, box: Box | undefined) {
  const name = typeof file === 'string' ? file : `An image of ${file.length} bytes`
  // libvips caches by path and would return what a file held before it changed, so it never sees a path.
  const bytes = typeof file === 'string' ? await readFile(file).catch(fail(name, 'read')) : file
  if (bytes.length === 0) throw new DataError(`${name} cannot be decoded (no bytes): replace it or leave it out`)

  // The limit of sharp itself is off because its message tells neither the size nor the limit.
  const image = sharp(bytes, { limitInputPixels: false })
  const found = await image.metadata().catch(fail(name, 'decoded'))
  if (found.width * found.height > maxMegapixels * 1e6)
    throw new DataError(
      `${name} is ${found.width} x ${found.height} pixels, over the limit of ${maxMegapixels} megapixels: ` +
        'scale it down or leave it out',
    )
  if (box) checkBox(name, box, found.autoOrient)
  return { image, name, bytes }
}

function checkBox(name: string, { x, y, width, height }: Box, image: { width: number; height: number }): void {
  const whole = [x, y, width, height].every((each) => Number.isInteger(each) && each >= 0) && width > 0 && height > 0
  if (whole && x + width <= image.width && y + height <= image.height) return
  throw new DataError(
    `The box of ${width} x ${height} pixels at (${x}, ${y}) of ${name} is not inside of the image, which has ` +
      `${image.width} x ${image.height}: expected whole pixels within it`,
  )
}

/** @throws UsageError if it is not a size in whole pixels with 1 or 3 channels. */
export function checkImageInput({ channels, height, width }: ImageInput): void {
  if (!(isSize(height) && isSize(width) && (channels === 1 || channels === 3)))
    throw new UsageError(
      `An image input of ${channels} x ${height} x ${width} cannot be: 1 or 3 channels, whole pixels`,
    )
}

const isSize = (pixels: number) => Number.isInteger(pixels) && pixels > 0

/** `[height, width, channels]`, as decoders give it, to `[channels, height, width]`, as encoders take it. */
function planar(interleaved: Uint8Array, channels: number): Uint8Array {
  const planes = new Uint8Array(interleaved.length)
  const size = interleaved.length / channels
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < size; i++) planes[channel * size + i] = interleaved[i * channels + channel]!
  return planes
}

/** Rethrows the first line of an error: libvips lists the same complaint several times. */
function fail(name: string, what: 'read' | 'decoded'): (error: Error) => never {
  return (error) => {
    const reason = error.message.split('\n')[0]!.replace(/:$/, '')
    throw new DataError(`${name} cannot be ${what} (${reason}): replace it or leave it out`, { cause: error })
  }
}
