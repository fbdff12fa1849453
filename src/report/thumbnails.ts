/** Pictures small enough that a page can hold a thousand. */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import type { Source } from '../data/index.ts'
import { type Box, maxMegapixels } from '../inputs/image.ts'

export interface Thumbnail {
  /** A `data:` address of a WebP image. */
  readonly address: string
  /** Whether the picture was smaller than a thumbnail, so that its pixels show when it is drawn. */
  readonly small: boolean
}

/** The picture in a file, or a part of it, in a square of `side` pixels at most; undefined if it cannot be read or is no picture. */
export async function thumbnail(file: string, side: number, box?: Box): Promise<Thumbnail | undefined> {
  const made = await thumbnailBytes(file, side, box)
  return made && { address: `data:image/webp;base64,${made.bytes.toString('base64')}`, small: made.small }
}

/** The same as the bytes of a WebP image. */
export async function thumbnailBytes(
  file: string,
  side: number,
  box?: Box,
): Promise<{ readonly bytes: Buffer; readonly small: boolean } | undefined> {
  try {
    // As everywhere, libvips is given bytes: by path it would return what a file held before it changed.
    const image = sharp(await readFile(file), { limitInputPixels: maxMegapixels * 1e6 })
    const { width, height } = box ?? (await image.metadata())
    const upright = image.autoOrient()
    const part = box ? upright.extract({ left: box.x, top: box.y, width, height }) : upright
    const fitted = part.resize(side, side, { fit: 'inside', withoutEnlargement: true })
    const bytes = await fitted.webp({ quality: 80, effort: 4 }).toBuffer()
    return { bytes, small: Math.max(width, height) < side }
  } catch {
    return undefined
  }
}

/** How many files are in memory at once. */
const AT_ONCE = 8

/** Of these rows of images, by row; those whose files cannot be read are left out. */
export async function thumbnails(
  source: Source,
  rows: readonly number[],
  side: number,
): Promise<Map<number, Thumbnail>> {
  const found = new Map<number, Thumbnail>()
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const some = rows.slice(start, start + AT_ONCE)
    const made = await Promise.all(some.map((row) => thumbnail(source.item(row), side, source.boxes?.[row])))
    made.forEach((each, i) => {
      if (each) found.set(some[i]!, each)
    })
  }
  return found
}
