/** Labelled images held in memory as the bytes that an encoder takes. */
import { createHash } from 'node:crypto'
import { UsageError } from '../errors.ts'
import type { ImageInput } from '../inputs/image.ts'

/** An in-memory source of labelled images; each takes channels x height x width bytes. */
export interface Images {
  readonly input: ImageInput
  readonly length: number
  /** The path of each image, as it can be opened. */
  readonly items: readonly string[]
  /** The names of the classes, sorted by code units. */
  readonly classes: readonly string[]
  /** `[length]`: the class of each image as an index into `classes`; -1 has none. */
  readonly labels: Int32Array
  /** SHA-256, in hexadecimal, of the names, labels and bytes in their order: it identifies the data, wherever it lies. */
  readonly fingerprint: string
  /**
   * The images of these rows, `[rows, channels, height, width]`, 0..255, in a fresh array.
   *
   * @throws UsageError if a row is not in 0..length - 1
   */
  read(rows: ArrayLike<number>): Uint8Array
}

/** One decoded image: `name` is its path below the folder that was named, `class` the folder of that, '' for none. */
export interface Example {
  readonly path: string
  readonly name: string
  readonly class: string
  readonly bytes: Uint8Array
}

/** Images of decoded examples, in their order. */
export function holdImages(input: ImageInput, examples: readonly Example[]): Images {
  const classes = [...new Set(examples.map((example) => example.class))].filter((name) => name !== '').sort()
  const labels = indices(classes, examples, (example) => example.class)

  const { channels, height, width, resize } = input
  const hash = createHash('sha256').update(`${channels} x ${height} x ${width} ${resize}`)
  examples.forEach(({ name, bytes }, row) => {
    hash.update(`\0${name}\0${labels[row]}\0`).update(bytes)
  })
  const size = channels * height * width
  return {
    input,
    length: examples.length,
    items: examples.map(({ path }) => path),
    classes,
    labels,
    fingerprint: hash.digest('hex'),
    read(rows) {
      const batch = new Uint8Array(rows.length * size)
      for (let i = 0; i < rows.length; i++) batch.set(at(examples, rows[i]!).bytes, i * size)
      return batch
    },
  }
}

/**
 * A view of some rows, in the order given; the classes are those that occur in it, numbered anew.
 *
 * @throws UsageError if a row is not in 0..length - 1
 */
export function subset(images: Images, rows: ArrayLike<number>): Images {
  const own = Array.from(rows)
  const items = own.map((row) => at(images.items, row))
  const nameOf = (row: number) => images.classes[images.labels[row]!]
  const present = new Set(own.map(nameOf))
  const classes = images.classes.filter((name) => present.has(name))
  return {
    input: images.input,
    length: own.length,
    items,
    classes,
    labels: indices(classes, own, nameOf),
    fingerprint: createHash('sha256').update(`${images.fingerprint} ${own}`).digest('hex'),
    read: (some) => images.read(Array.from(some, (row) => at(own, row))),
  }
}

function indices<T>(classes: readonly string[], of: readonly T[], nameOf: (item: T) => string | undefined): Int32Array {
  const index = new Map<string | undefined, number>(classes.map((name, i) => [name, i]))
  return Int32Array.from(of, (item) => index.get(nameOf(item)) ?? -1)
}

function at<T>(items: readonly T[], row: number): T {
  const item = items[row]
  if (item === undefined) throw new UsageError(`There is no image ${row}: the rows are 0 to ${items.length - 1}`)
  return item
}
