/** Where examples come from: labelled rows that are read when they are needed. */
import { createHash } from 'node:crypto'
import { UsageError } from '../errors.ts'
import type { Box } from '../inputs/image.ts'
import type { Input } from '../inputs/input.ts'
import type { Tensor } from '../tensor.ts'

/** What a column says of an example. */
export type MetadataValue = string | number | boolean | null

/** Columns that came with examples and are no part of them. */
export interface Metadata {
  readonly columns: readonly string[]
  /** The values of each example by their columns, in the examples' order. */
  rows(): AsyncGenerator<Readonly<Record<string, MetadataValue>>>
}

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
  /** What the groups are called, by their numbers. */
  readonly groupNames?: readonly string[] | undefined
  /** [length]: 1 for examples that training must not see, where the data says so itself. */
  readonly heldOut?: Uint8Array | undefined
  /** [length]: 1 for what is searched, 0 for queries, where the data says so itself. */
  readonly gallery?: Uint8Array | undefined
  /** [length]: the part of its image that an example is; undefined for all of it. Left out where all are whole images. */
  readonly boxes?: readonly (Box | undefined)[] | undefined
  /** Left out where the data has no columns besides those that examples are made of. */
  readonly metadata?: Metadata | undefined
  /** SHA-256, in hexadecimal, of the names, labels and content in their order: it identifies the data, wherever it lies. */
  readonly fingerprint: string
  /**
   * The examples of these rows in a fresh array: [rows, channels, height, width] uint8, 0–255, or [rows, dimension] float32.
   *
   * @throws UsageError if a row is not in 0..length - 1; InterruptedError once `signal` is aborted.
   */
  read(rows: ArrayLike<number>, signal?: AbortSignal): Promise<Tensor>
}

/**
 * A view of some rows, in the order given; the classes are those that occur in it, numbered anew.
 *
 * @throws UsageError if a row is not in 0..length - 1
 */
export function subset<Form extends Input>(source: Source<Form>, rows: ArrayLike<number>): Source<Form> {
  const own = Int32Array.from(rows, (row) => inside(row, source.length))
  const present = new Set(own.map((row) => source.labels[row]!))
  const kept = [...source.classes.keys()].filter((label) => present.has(label))
  const numbers = new Map(kept.map((label, number) => [label, number]))
  const rowAt = (row: number) => own[inside(row, own.length)]!
  return {
    input: source.input,
    length: own.length,
    item: (row) => source.item(rowAt(row)),
    classes: kept.map((label) => source.classes[label]!),
    labels: own.map((row) => numbers.get(source.labels[row]!) ?? -1),
    groups: source.groups && own.map((row) => source.groups![row]!),
    groupNames: source.groupNames,
    ...(source.boxes && { boxes: Array.from(own, (row) => source.boxes![row]) }),
    ...Object.fromEntries(
      (['heldOut', 'gallery'] as const).flatMap((name) => {
        const flags = source[name]
        return flags ? [[name, Uint8Array.from(own, (row) => flags[row]!)]] : []
      }),
    ),
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

/** @throws UsageError if there is no such row of so many. */
export function inside(row: number, length: number): number {
  if (Number.isInteger(row) && row >= 0 && row < length) return row
  throw new UsageError(`There is no row ${row}: the rows are 0 to ${length - 1}`)
}
