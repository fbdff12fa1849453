/** Image files as examples: decoded beside training, and kept in memory as far as there is room. */
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { DataError } from '../errors.ts'
import { type Box, checkImageInput, type ImageInput } from '../inputs/image.ts'
import { typeOfRows } from '../inputs/input.ts'
import { allocate, size } from '../tensor.ts'
import { decodeImages } from './decoder.ts'
import { numbered } from './numbered.ts'
import { inside, type Source } from './source.ts'

export interface OpenImagesOptions {
  /** What every image is brought to. */
  readonly input: ImageInput
  /** Told of each file that is left out; `console.warn` by default. */
  readonly warn?: (message: string) => void
  /** Stops the reading. */
  readonly signal?: AbortSignal
  /**
   * How many bytes of decoded images are kept in memory; 1 GiB if left out. Where all fit they are decoded once, when they
   * are opened; else only their headers are looked at then, and those that are not in memory are decoded when they are read.
   */
  readonly memory?: number | undefined
}

/** An image that is an example: `name` is what it is known by, wherever it lies, `class` is '' for none. */
export interface ImageExample {
  readonly path: string
  readonly name: string
  readonly class: string
  readonly group?: string | undefined
  /** The part of the image that is the example; all of it if left out. */
  readonly box?: Box | undefined
  /** 1 for what is searched, 0 for a query; both if left out. */
  readonly role?: number | undefined
  /** Whether it was asked for by name: then it is an error that it cannot be used. */
  readonly required?: boolean
}

const MEMORY = 2 ** 30

/**
 * The examples that can be used, in their order; the others are left out with a warning.
 *
 * @throws DataError if none can be used, or one that is required; InterruptedError once `signal` is aborted; UsageError if
 *   `input` is no size for an image. Reading throws a DataError if a file cannot be decoded then.
 */
export async function openImageFiles(
  wanted: readonly ImageExample[],
  { input, warn = console.warn, signal, memory = MEMORY }: OpenImagesOptions,
): Promise<Source<ImageInput>> {
  checkImageInput(input)
  const each = size(typeOfRows(input, 1).shape)
  const fits = wanted.length * each <= memory
  const found = await decodeImages(wanted, { input, headers: !fits, signal })

  const examples: ImageExample[] = []
  const { channels, height, width, resize } = input
  const content = fits ? 'pixels' : 'bytes in each file'
  const hash = createHash('sha256').update(`${channels} x ${height} x ${width} ${resize}, ${content}`)
  const cache = new LRUCache<number, Uint8Array>({ maxSize: Math.max(memory, each), sizeCalculation: () => each })
  const errors: string[] = []
  for (const [i, example] of wanted.entries()) {
    const decoded = found[i]!
    if ('error' in decoded) {
      if (example.required) throw new DataError(decoded.error)
      errors.push(decoded.error)
      continue
    }
    hash.update(`\0${example.name}\0${example.class}\0${example.group ?? ''}\0`)
    hash.update('bytes' in decoded ? decoded.bytes : String(decoded.weight))
    if ('bytes' in decoded) cache.set(examples.length, decoded.bytes)
    examples.push(example)
  }
  if (examples.length === 0) {
    throw new DataError(`None of the images found (${wanted.length}) can be used. The first: ${errors[0]}`)
  }
  for (const message of errors) warn(`${message} (left out)`)

  const labels = numbered(
    examples.map((example) => example.class || null),
    examples.length,
  )
  const groups = examples.some(({ group }) => group !== undefined)
    ? numbered(
        examples.map(({ group = null }) => group),
        examples.length,
      )
    : undefined
  return {
    input,
    length: examples.length,
    item: (row) => examples[inside(row, examples.length)]!.path,
    classes: labels.names,
    labels: labels.numbers,
    groups: groups?.numbers,
    groupNames: groups?.names,
    ...(examples.some(({ role }) => role !== undefined) && {
      gallery: Uint8Array.from(examples, ({ role = 0 }) => role),
    }),
    ...(examples.some(({ box }) => box) && { boxes: examples.map(({ box }) => box) }),
    fingerprint: hash.digest('hex'),
    async read(rows, signal) {
      const type = typeOfRows(input, rows.length)
      const data = allocate(type) as Uint8Array
      const missing = new Map<number, number[]>()
      for (let i = 0; i < rows.length; i++) {
        const row = inside(rows[i]!, examples.length)
        const kept = cache.get(row)
        if (kept) data.set(kept, i * each)
        else missing.set(row, [...(missing.get(row) ?? []), i])
      }
      if (missing.size === 0) return { ...type, data }
      const decoded = await decodeImages(
        Array.from(missing.keys(), (row) => examples[row]!),
        { input, signal },
      )
      for (const [k, [row, places]] of [...missing].entries()) {
        const result = decoded[k]!
        if (!('bytes' in result)) throw new DataError((result as { error: string }).error)
        cache.set(row, result.bytes)
        for (const i of places) data.set(result.bytes, i * each)
      }
      return { ...type, data }
    },
  }
}
