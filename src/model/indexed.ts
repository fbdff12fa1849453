/** Items that a model embedded, kept to be searched: an index, which only the model that filled it can search. */
import { realpath } from 'node:fs/promises'
import { type Source, subset } from '../data/index.ts'
import { throwIfAborted } from '../data/interrupt.ts'
import { DataError } from '../errors.ts'
import { meets, parseCondition } from '../search/condition.ts'
import { columnOf, type Entry, keyOf, ownColumns, type Scalar } from '../search/store/entry.ts'
import type { Items } from '../search/store/part.ts'
import { type AddOptions, checkNew, few } from '../search/store/store.ts'
import {
  type About,
  aboutIndex,
  addItems,
  checkStore,
  createItems,
  openItemsIn,
  removeItems,
  type StoreOptions,
} from '../search/stores.ts'
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
  /** What is known of an item. @throws UsageError if there is no such row. */
  entry(row: number): Promise<Entry>
  release(): Promise<void>
}

export interface IndexOptions {
  readonly signal?: AbortSignal | undefined
}

/** What an index says of itself: its approximation and the recall that was measured among it. */
export type AboutIndex = Omit<About, 'model'> & { readonly items: number }

/** So many items are embedded and written at once. */
const AT_ONCE = 2048

/**
 * Embeds examples as a gallery's, and writes them as an index: whole or not at all. `items` is how many there are.
 *
 * @param path a folder; or, of LanceDB, an address such as `s3://bucket/index`.
 * @throws DataError if there is something already, an item occurs twice, or LanceDB is asked for and not installed; UsageError
 *   if the store cannot do what is asked for.
 */
export async function createIndex(
  model: Model,
  examples: SourceLike,
  path: string,
  { signal, ...options }: IndexOptions & StoreOptions = {},
): Promise<AboutIndex> {
  const { fingerprint, metric, compute } = model
  checkStore(path, metric, options)
  await checkNew(path)
  const source = await model.open(examples)
  const of = { model: fingerprint, metric: metric.name, dimension: model.description.dimension }
  const about = await createItems(path, of, itemsOf(model, source, signal), { ...options, metric, compute })
  return aboutOf(about, source.length)
}

/**
 * Adds examples to an index, all of them or none. `items` is how many were added.
 *
 * @throws DataError if another model filled the index, or an item is there already and `replace` is not set.
 */
export async function addToIndex(
  model: Model,
  examples: SourceLike,
  folder: string,
  { signal, replace }: IndexOptions & AddOptions = {},
): Promise<AboutIndex> {
  checkModel(await aboutIndex(folder), model, folder)
  const source = await model.open(examples)
  const { metric, compute } = model
  const about = await addItems(folder, itemsOf(model, source, signal), { replace, metric, compute })
  return aboutOf(about, source.length)
}

function aboutOf({ metric, dimension, columns, approximate }: About, items: number): AboutIndex {
  return { items, metric, dimension, columns, ...(approximate && { approximate }) }
}

/** Which items: by their names or the paths of their images, or by a condition. */
export type Removed = { readonly items: readonly string[] } | { readonly where: string }

/**
 * Removes items from an index. Returns how many.
 *
 * @throws DataError if an item that is named is not there; UsageError if the condition cannot be read.
 */
export async function removeFromIndex(folder: string, removed: Removed): Promise<number> {
  const head = await aboutIndex(folder)
  if ('where' in removed) {
    const condition = parseCondition(removed.where, [...ownColumns, ...head.columns])
    return removeItems(folder, (entry) => meets(condition, columnOf(entry)))
  }
  const places = await Promise.all(removed.items.map((item) => realpath(item).catch(() => item)))
  const left = new Set(removed.items)
  const check = () => {
    if (left.size > 0) {
      throw new DataError(`${few([...left], `not in the index ${folder}`)} Nothing was removed: name items that are.`)
    }
  }
  return removeItems(
    folder,
    ({ item, path }) => {
      const found = removed.items.filter((name, i) => name === item || (path !== undefined && places[i] === path))
      for (const name of found) left.delete(name)
      return found.length > 0
    },
    check,
  )
}

export interface OpenIndexOptions {
  /** Is told where an index in LanceDB cannot order as the metric does; `console.warn` if left out. */
  readonly warn?: ((message: string) => void) | undefined
}

/**
 * Opens an index to be searched: all of its vectors in memory, or in LanceDB where they lie there.
 *
 * @throws DataError if there is none, it is damaged, or another model filled it; or if it lies in LanceDB, and that is not
 *   installed.
 */
export async function openIndex(
  folder: string,
  model: Model,
  { warn = console.warn }: OpenIndexOptions = {},
): Promise<Index> {
  checkModel(await aboutIndex(folder), model, folder)
  const index = await openItemsIn(folder, model.metric, model.compute, warn)
  return {
    size: index.size,
    columns: index.columns,
    async search(examples, { k = 5, where } = {}) {
      const queries = await model.open(examples)
      const asked = await model.embed(queries)
      // One more, which may be the query itself.
      const nearest = await index.nearest(asked, { k: k + 1, where })
      const results: (SearchResult & { matches: IndexMatch[] })[] = []
      for (const [row, found] of nearest.entries()) {
        const key = keyOf(await entryOf(queries, row))
        const others: IndexMatch[] = []
        for (const { row: place, entry, vector, distance } of found) {
          if (keyOf(entry) === key && (await isItself(model, queries, row, vector))) continue
          const { item, label, path, box, metadata } = entry
          others.push({
            row: place,
            item,
            label,
            distance,
            ...(path && { path }),
            ...(box && { box }),
            ...(metadata && { metadata }),
          })
        }
        results.push({ query: queries.item(row), matches: others.slice(0, k) })
      }
      return results
    },
    entry: (row) => index.entry(row),
    release: () => index.release(),
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
