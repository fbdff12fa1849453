/** Items that a model embedded, kept to be searched: an index, which only the model that filled it can search. */
import { realpath } from 'node:fs/promises'
import { type Source, subset } from '../data/index.ts'
import { throwIfAborted } from '../data/interrupt.ts'
import { DataError, UsageError } from '../errors.ts'
import { type About, backendOf, isAddress, type Recall, type stores } from '../search/store/backend.ts'
import { type Entry, keyOf, type Scalar } from '../search/store/entry.ts'
import type { Items } from '../search/store/part.ts'
import type { Match, Model, SearchResult, SourceLike } from './model.ts'

export interface IndexMatch extends Match {
  /** The row of the item in the index as it was opened. */
  readonly row: number
  /** Where its image lies. */
  readonly path?: string | undefined
  /** The part of the image that it is. */
  readonly box?: Entry['box']
  /** The other columns of the table that it came from. */
  readonly metadata?: Readonly<Record<string, Scalar>> | undefined
}

export interface IndexSearchOptions {
  /** How many to find; 5 if left out. */
  readonly k?: number | undefined
  /** A condition on columns, as in SQL: only what meets it is searched. */
  readonly where?: string | undefined
}

/** An index that was opened with the model that filled it. */
export interface Index {
  readonly size: number
  /** What conditions can be about: `item`, `label`, `path`, and the columns of the tables that items came from. */
  readonly columns: readonly string[]
  /**
   * The items nearest to each query, in the model's metric. A query that is itself in the index is not found as its own
   * neighbour.
   *
   * @throws UsageError if the condition cannot be read, or is of a column that is not there.
   */
  search(
    queries: SourceLike,
    options?: IndexSearchOptions,
  ): Promise<(SearchResult & { readonly matches: readonly IndexMatch[] })[]>
  /** What is known of an item; undefined if there is no such row. */
  entry(row: number): Promise<Entry | undefined>
  release(): Promise<void>
}

export interface FillOptions {
  readonly signal?: AbortSignal | undefined
}

export interface CreateIndexOptions extends FillOptions {
  /**
   * `folder`: of our own, searched exactly in memory, up to some millions of items; what is taken for a path if left out.
   * `lancedb`: LanceDB (the package @lancedb/lancedb); what is taken for an address, as `s3://…` or `db://…`.
   */
  readonly store?: (typeof stores)[number] | undefined
  /** Whether LanceDB builds an approximate index, whose recall is measured; false if left out. */
  readonly approximate?: boolean | undefined
}

export interface AddToIndexOptions extends FillOptions {
  /** Whether items that are there are replaced; an error if left out. */
  readonly replace?: boolean | undefined
}

export interface Filled {
  /** How many items were embedded. */
  readonly items: number
  /** How the approximate index does against exact search; left out where there is none. */
  readonly recall?: Recall | undefined
}

/** So many items are embedded and written at once. */
const AT_ONCE = 2048

/**
 * Embeds examples as a gallery's, and writes them as an index: whole or not at all.
 *
 * @param place a folder, or an address of LanceDB.
 * @throws DataError if there is something already, or an item occurs twice; UsageError if the store has no approximate index.
 */
export async function createIndex(
  model: Model,
  examples: SourceLike,
  place: string,
  { signal, store, approximate = false }: CreateIndexOptions = {},
): Promise<Filled> {
  const isLance = store === 'lancedb' || isAddress(place)
  if (isLance && store === 'folder') throw new UsageError(`${place} is no folder: leave --store out.`)
  if (approximate && !isLance) {
    throw new UsageError('Only LanceDB has approximate indexes: add --store lancedb. A folder is searched exactly.')
  }
  const backend = await backendOf(place, store ?? (isLance ? 'lancedb' : 'folder'))
  await backend.checkNew(place)
  const source = await model.open(examples)
  const about: About = { model: model.fingerprint, metric: model.metric.name, dimension: model.description.dimension }
  const items = itemsOf(model, source, signal)
  const recall = await backend.create(place, about, items, { ...fillOptions(model, source), approximate })
  return { items: source.length, ...(recall && { recall }) }
}

/**
 * Adds examples to an index, all of them or none.
 *
 * @throws DataError if another model filled the index, or an item is there already and `replace` is not set.
 */
export async function addToIndex(
  model: Model,
  examples: SourceLike,
  place: string,
  { signal, replace }: AddToIndexOptions = {},
): Promise<Filled> {
  const backend = await backendOf(place)
  checkModel(await backend.about(place), model, place)
  const source = await model.open(examples)
  const recall = await backend.add(place, itemsOf(model, source, signal), { ...fillOptions(model, source), replace })
  return { items: source.length, ...(recall && { recall }) }
}

function fillOptions({ metric, compute }: Model, { metadata }: Source) {
  return { metric, compute, columns: metadata?.columns ?? [] }
}

/** Which items: by their names or the paths of their images, or by a condition. */
export type Removed = { readonly items: readonly string[] } | { readonly where: string }

/**
 * Removes items from an index. Returns how many.
 *
 * @throws DataError if an item that is named is not there; UsageError if the condition cannot be read.
 */
export async function removeFromIndex(place: string, removed: Removed): Promise<number> {
  const backend = await backendOf(place)
  if ('where' in removed) return backend.remove(place, removed)
  const { items } = removed
  const places = await Promise.all(items.map((item) => realpath(item).catch(() => item)))
  return backend.remove(place, { items, places })
}

/**
 * Opens an index to be searched: of a folder all vectors are in memory then, of LanceDB none.
 *
 * @param options.warn is told where the index cannot order as the metric does; nobody is if left out.
 * @throws DataError if there is none, it is damaged, or another model filled it.
 */
export async function openIndex(
  place: string,
  model: Model,
  { warn = () => {} }: { readonly warn?: ((message: string) => void) | undefined } = {},
): Promise<Index> {
  const backend = await backendOf(place)
  checkModel(await backend.about(place), model, place)
  const store = await backend.open(place, model.metric, model.compute, warn)
  return {
    size: store.size,
    columns: store.columns,
    async search(examples, { k = 5, where } = {}) {
      const queries = await model.open(examples)
      // One more, which may be the query itself.
      const nearest = await store.nearest(await model.embed(queries), { k: k + 1, where })
      const results: (SearchResult & { matches: IndexMatch[] })[] = []
      for (const [query, found] of nearest.entries()) {
        const key = keyOf(await entryOf(queries, query))
        const others: IndexMatch[] = []
        for (const { row, entry, vector, distance } of found) {
          if (keyOf(entry) === key && (await isItself(model, queries, query, vector))) continue
          const { item, label, path, box, metadata } = entry
          const more = { ...(path && { path }), ...(box && { box }), ...(metadata && { metadata }) }
          others.push({ row, item, label, distance, ...more })
        }
        results.push({ query: queries.item(query), matches: others.slice(0, k) })
      }
      return results
    },
    entry: (row) => store.entry(row),
    release: () => store.release(),
  }
}

function checkModel({ model: filled, metric }: About, model: Model, folder: string): void {
  if (filled === model.fingerprint) return
  const other = metric === model.metric.name ? '' : `, in the metric ${metric} (this model's is ${model.metric.name})`
  throw new DataError(
    `${folder} was filled by another model${other}: its vectors mean nothing to this one. Search it with the model that filled it, or index the data again: isometry index MODEL DATA --out OTHER`,
  )
}

async function* itemsOf(model: Model, source: Source, signal: AbortSignal | undefined): AsyncGenerator<Items> {
  const metadata = source.metadata?.rows()
  try {
    for (let start = 0; start < source.length; start += AT_ONCE) {
      throwIfAborted(signal)
      const rows = Array.from({ length: Math.min(AT_ONCE, source.length - start) }, (_, i) => start + i)
      const { data } = await model.embed(subset(source, rows), { role: 'gallery' })
      const entries: Entry[] = []
      for (const row of rows) {
        const columns = (await metadata?.next())?.value as Entry['metadata']
        entries.push({ ...(await entryOf(source, row)), ...(columns && { metadata: columns }) })
      }
      yield { vectors: data as Float32Array, entries }
    }
  } finally {
    await metadata?.return(undefined)
  }
}

async function entryOf(source: Source, row: number): Promise<Entry> {
  const item = source.item(row)
  const label = source.classes[source.labels[row]!] ?? null
  if (source.input.kind !== 'image') return { item, label }
  const box = source.boxes?.[row]
  return { item, label, path: await realpath(item).catch(() => item), ...(box && { box }) }
}

/** Embeddings of the same are the same but for rounding. */
const ROUNDING = 1e-5

/** Images are told by where they lie; vectors may have one name for different numbers. */
async function isItself(model: Model, queries: Source, row: number, stored: Float32Array): Promise<boolean> {
  if (queries.input.kind === 'image') return true
  const { data } = await model.embed(subset(queries, [row]), { role: 'gallery' })
  return stored.every((x, i) => Math.abs(x - (data[i] as number)) <= ROUNDING * (1 + Math.abs(x)))
}
