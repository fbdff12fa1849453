/** Where examples come from: labelled rows that are read when they are needed. */
import { createHash } from 'node:crypto'
import { UsageError } from '../errors.ts'
import type { ImageInput } from '../inputs/image.ts'
import { type Input, typeOfRows } from '../inputs/input.ts'
import { allocate, type Tensor } from '../tensor.ts'

/** Labelled examples, all of one form. */
export interface Source<Form extends Input = Input> {
  readonly input: Form
  readonly length: number
  /** The path of an image, as it can be opened; of what is no file, the name that it is known by. */
  item(row: number): string
  /** The names of the classes, sorted by code units. */
  readonly classes: readonly string[]
  /** [length]: the class of each example as an index into `classes`; -1 has none. */
  readonly labels: Int32Array
  /**
   * [length]: equal numbers are of one group, such as a camera or a document, and are not compared with each other when
   * they are evaluated; -1 is of none. Left out where there are no groups.
   */
  readonly groups?: Int32Array | undefined
  /** SHA-256, in hexadecimal, of the names, labels and content in their order: it identifies the data, wherever it lies. */
  readonly fingerprint: string
  /**
   * The examples of these rows in a fresh array: [rows, channels, height, width] uint8, 0–255, or [rows, dimension] float32.
   *
   * @throws UsageError if a row is not in 0..length - 1; InterruptedError once `signal` is aborted.
   */
  read(rows: ArrayLike<number>, signal?: AbortSignal): Promise<Tensor>
}

/** One decoded image: `name` is its path below the folder that was named, `class` the folder of that, '' for none. */
export interface Example {
  readonly path: string
  readonly name: string
  readonly class: string
  readonly bytes: Uint8Array
}

/** Images of decoded examples, in their order. */
export function holdImages(input: ImageInput, examples: readonly Example[]): Source<ImageInput> {
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
    item: (row) => examples[inside(row, examples.length)]!.path,
    classes,
    labels,
    fingerprint: hash.digest('hex'),
    async read(rows) {
      const type = typeOfRows(input, rows.length)
      const data = allocate(type) as Uint8Array
      for (let i = 0; i < rows.length; i++) data.set(examples[inside(rows[i]!, examples.length)]!.bytes, i * size)
      return { ...type, data }
    },
  }
}

/**
 * A view of some rows, in the order given; the classes are those that occur in it, numbered anew.
 *
 * @throws UsageError if a row is not in 0..length - 1
 */
export function subset<Form extends Input>(source: Source<Form>, rows: ArrayLike<number>): Source<Form> {
  const own = Int32Array.from(rows, (row) => inside(row, source.length))
  const nameOf = (row: number) => source.classes[source.labels[row]!]
  const present = new Set(Array.from(own, nameOf))
  const classes = source.classes.filter((name) => present.has(name))
  const rowAt = (row: number) => own[inside(row, own.length)]!
  return {
    input: source.input,
    length: own.length,
    item: (row) => source.item(rowAt(row)),
    classes,
    labels: indices(classes, Array.from(own), nameOf),
    groups: source.groups && own.map((row) => source.groups![row]!),
    fingerprint: createHash('sha256').update(`${source.fingerprint} ${own}`).digest('hex'),
    read: async (some, signal) => source.read(Int32Array.from(some, rowAt), signal),
  }
}

/** What all examples are called, in their order. */
export function itemsOf(source: Source): string[] {
  return Array.from({ length: source.length }, (_, row) => source.item(row))
}

/** The name of each example's class; null if it has none. */
export function labelsOf({ labels, classes }: Source): (string | null)[] {
  return Array.from(labels, (label) => classes[label] ?? null)
}

function indices<T>(classes: readonly string[], of: readonly T[], nameOf: (item: T) => string | undefined): Int32Array {
  const index = new Map<string | undefined, number>(classes.map((name, i) => [name, i]))
  return Int32Array.from(of, (item) => index.get(nameOf(item)) ?? -1)
}

function inside(row: number, length: number): number {
  if (Number.isInteger(row) && row >= 0 && row < length) return row
  throw new UsageError(`There is no row ${row}: the rows are 0 to ${length - 1}`)
}
