/** Decodes images, in a thread of its own where there are many: while training computes there. */
import { isMainThread } from 'node:worker_threads'
import sharp from 'sharp'
import { DataError } from '../errors.ts'
import { type Box, decodeImage, type ImageInput, measureImage } from '../inputs/image.ts'

/** Images of one form, worked through one after the other. */
export interface DecodeTask {
  readonly input: ImageInput
  readonly images: readonly ImageFile[]
  /** Whether only the header of each is looked at. */
  readonly headers: boolean
}

export interface ImageFile {
  readonly path: string
  /** The part of it that is the example; all of it if left out. */
  readonly box?: Box | undefined
}

/** The bytes of an image, or what its file weighs where only the header was looked at; or why it cannot be used. */
export type Decoded = { readonly bytes: Uint8Array } | { readonly weight: number } | { readonly error: string }

// Each of these threads decodes on its own.
if (!isMainThread) sharp.concurrency(1)

export default async function decode({ input, images, headers }: DecodeTask): Promise<Decoded[]> {
  const results: Decoded[] = []
  for (const { path, box } of images) {
    try {
      results.push(headers ? { weight: await measureImage(path, box) } : { bytes: await decodeImage(path, input, box) })
    } catch (error) {
      // An error keeps only its text on its way to another thread.
      if (!(error instanceof DataError)) throw error
      results.push({ error: error.message })
    }
  }
  return results
}
