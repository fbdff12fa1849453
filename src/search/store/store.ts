/**
 * Items and their vectors in a folder. A change writes new parts and then replaces `index.json` in one move: whatever ends the
 * process, the index is as it was before or as it is after.
 */
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { DataError } from '../../errors.ts'
import { cannotWrite, syncFolder, writeWhole } from '../../files.ts'
import type { Tensor } from '../../tensor.ts'
import { type Entry, keyOf } from './entry.ts'
import { HEAD, type Head, newHead, readHead } from './head.ts'
import { locked } from './lock.ts'
import {
  type EntryReader,
  type Items,
  openEntries,
  type Part,
  partOf,
  readEntries,
  readVectors,
  writePart,
} from './part.ts'

/** An index that is there, as it was when it was opened. */
export interface Store {
  readonly head: Head
  readonly size: number
  /** All vectors: [size, dimension] float32. */
  vectors(): Promise<Tensor>
  /** All entries, by their rows. */
  entries(): AsyncGenerator<Entry>
  /** The entry of a row. */
  entry(row: number): Promise<Entry>
  close(): Promise<void>
}

/** @throws DataError if there is no index, or it is damaged. */
export async function openStore(folder: string): Promise<Store> {
  const head = await readHead(folder)
  const starts = head.parts.map((_, i) => sizeOf(head.parts.slice(0, i)))
  const size = sizeOf(head.parts)
  let readers: Promise<EntryReader[]> | undefined
  return {
    head,
    size,
    async vectors() {
      const { dimension } = head
      const data = new Float32Array(size * dimension)
      for (const [i, part] of head.parts.entries()) {
        await readVectors(folder, part, data.subarray(starts[i]! * dimension, (starts[i]! + part.rows) * dimension))
      }
      return { dtype: 'float32', shape: [size, dimension], data }
    },
    async *entries() {
      for (const part of head.parts) yield* readEntries(folder, part)
    },
    async entry(row) {
      readers ??= Promise.all(head.parts.map((part) => openEntries(folder, part)))
      const i = starts.findLastIndex((start) => start <= row)
      return (await readers)[i]!.at(row - starts[i]!)
    },
    async close() {
      for (const reader of (await readers) ?? []) await reader.close()
      readers = undefined
    },
  }
}

function sizeOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { rows }) => sum + rows, 0)
}

/**
 * Makes an index of items. Beside its folder first, and then in its place in one move.
 *
 * @throws DataError if the folder exists, or two items are the same, or it cannot be written.
 */
export async function createStore(
  folder: string,
  of: Pick<Head, 'model' | 'metric' | 'dimension'>,
  items: AsyncIterable<Items>,
): Promise<Head> {
  await checkNew(folder)
  const partial = await mkdir(dirname(resolve(folder)), { recursive: true })
    .then(() => mkdtemp(join(dirname(resolve(folder)), `.${basename(folder)}.partial-`)))
    .catch(cannotWrite(folder))
  try {
    const head = await grow(partial, newHead(of), checked(items, new Set()))
    await writeHead(partial, head)
    await checkNew(folder)
    await rename(partial, folder)
    await syncFolder(dirname(resolve(folder)))
    return head
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  }
}

/** @throws DataError if something is there already. */
export async function checkNew(folder: string): Promise<void> {
  if (!(await stat(folder).catch(() => undefined))) return
  throw new DataError(
    `${folder} exists. Name another folder, or add to the index that is there: isometry index add ${folder} MODEL DATA`,
  )
}

export interface AddOptions {
  /** Whether items that are there are replaced; an error if left out. */
  readonly replace?: boolean | undefined
}

/** Adds items. @throws DataError if one is there already, unless it is to be replaced. */
export async function addToStore(
  folder: string,
  items: AsyncIterable<Items>,
  { replace = false }: AddOptions = {},
): Promise<Head> {
  return change(folder, async (head) => {
    const there = new Set<string>()
    for (const part of head.parts) for await (const entry of readEntries(folder, part)) there.add(keyOf(entry))
    const added = new Set<string>()
    const grown = await grow(folder, head, checked(items, added, replace ? new Set() : there))
    if (![...added].some((key) => there.has(key))) return grown
    const old = head.parts.map(({ name }) => name)
    return without(folder, grown, (entry, { name }) => old.includes(name) && added.has(keyOf(entry)))
  })
}

/** Removes items, and says how many. Nothing is removed if `check`, once all were looked at, throws. */
export async function removeFromStore(
  folder: string,
  isRemoved: (entry: Entry) => boolean,
  check: () => void = () => {},
): Promise<number> {
  let removed = 0
  await change(folder, async (head) => {
    const left = await without(folder, head, isRemoved)
    check()
    removed = sizeOf(head.parts) - sizeOf(left.parts)
    return left
  })
  return removed
}

/** A new head takes the place of the old one, and then what it does not name goes. */
async function change(folder: string, work: (head: Head) => Promise<Head>): Promise<Head> {
  await readHead(folder)
  return locked(folder, async () => {
    const head = await readHead(folder)
    try {
      const changed = await work(head)
      await syncFolder(folder)
      await writeHead(folder, changed)
      await clear(folder, changed)
      return changed
    } catch (error) {
      await clear(folder, head)
      throw error
    }
  })
}

async function writeHead(folder: string, head: Head): Promise<void> {
  await writeWhole(join(folder, HEAD), `${JSON.stringify(head, null, 2)}\n`).catch(cannotWrite(folder))
}

/** Removes parts that nothing names: of changes that were not finished, or before the last. */
async function clear(folder: string, { parts }: Head): Promise<void> {
  const named = new Set(parts.map(({ name }) => name))
  for (const file of await readdir(folder)) {
    const part = partOf(file)
    const isPartial = file.startsWith(`${HEAD}.partial-`)
    if (isPartial || (part !== undefined && !named.has(part))) await rm(join(folder, file), { force: true })
  }
}

async function grow(folder: string, head: Head, items: AsyncIterable<Items>): Promise<Head> {
  const columns = new Set(head.columns)
  async function* noting(): AsyncGenerator<Items> {
    for await (const some of items) {
      for (const { metadata } of some.entries) for (const name of Object.keys(metadata ?? {})) columns.add(name)
      yield some
    }
  }
  const part = await writePart(folder, `part-${head.next}`, noting())
  const parts = part.rows > 0 ? [...head.parts, part] : head.parts
  return { ...head, columns: [...columns], parts, next: head.next + 1 }
}

/** Writes the parts that lose items anew. */
async function without(folder: string, head: Head, isRemoved: (entry: Entry, part: Part) => boolean): Promise<Head> {
  let { next } = head
  const parts: Part[] = []
  for (const part of head.parts) {
    const kept: number[] = []
    let row = 0
    for await (const entry of readEntries(folder, part)) {
      if (!isRemoved(entry, part)) kept.push(row)
      row++
    }
    if (kept.length === part.rows) parts.push(part)
    else if (kept.length > 0)
      parts.push(await writePart(folder, `part-${next++}`, rowsOf(folder, part, head.dimension, kept)))
  }
  return { ...head, parts, next }
}

/** Some rows of a part, some thousands at a time. */
async function* rowsOf(folder: string, part: Part, dimension: number, rows: readonly number[]): AsyncGenerator<Items> {
  const data = new Float32Array(part.rows * dimension)
  await readVectors(folder, part, data)
  const wanted = new Set(rows)
  let [row, vectors, entries]: [number, number[][], Entry[]] = [0, [], []]
  const flush = (): Items => {
    const items = { vectors: Float32Array.from(vectors.flat()), entries }
    vectors = []
    entries = []
    return items
  }
  for await (const entry of readEntries(folder, part)) {
    if (wanted.has(row)) {
      vectors.push([...data.subarray(row * dimension, (row + 1) * dimension)])
      entries.push(entry)
      if (entries.length === AT_ONCE) yield flush()
    }
    row++
  }
  if (entries.length > 0) yield flush()
}

const AT_ONCE = 4096

/** The items as they come. @throws DataError if one came before, or is there already. */
export async function* checked(
  items: AsyncIterable<Items>,
  seen: Set<string>,
  there: ReadonlySet<string> = new Set(),
): AsyncGenerator<Items> {
  const twice: string[] = []
  const already: string[] = []
  for await (const some of items) {
    for (const entry of some.entries) {
      const key = keyOf(entry)
      if (seen.has(key)) twice.push(entry.item)
      else if (there.has(key)) already.push(entry.item)
      seen.add(key)
    }
    yield some
  }
  if (twice.length > 0) throw new DataError(`${few(twice, 'given more than once')} Leave them out the second time.`)
  if (already.length > 0) {
    throw new DataError(
      `${few(already, 'in the index already')} Leave them out, or replace those that are there with --replace.`,
    )
  }
}

/** How many items are what, and the first three. */
export function few(names: readonly string[], what: string): string {
  const count = names.length === 1 ? '1 item is' : `${names.length} items are`
  return `${count} ${what}: ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}.`
}
