/** An index in memory, searched exactly: one matrix of vectors, and entries that are read when they are found. */
import { inside } from '../../data/source.ts'
import type { Metric } from '../../metrics/metric.ts'
import type { ComputeOptions } from '../../runtime/session.ts'
import type { Tensor } from '../../tensor.ts'
import { meets, parseCondition } from '../condition.ts'
import { pick } from '../matrix.ts'
import { openSearcher, type Searcher } from '../searcher.ts'
import { columnOf, type Entry, ownColumns } from './entry.ts'
import { openStore } from './store.ts'

export interface Found {
  readonly row: number
  readonly entry: Entry
  /** The embedding as it lies in memory. */
  readonly vector: Float32Array
  /** In the metric's unit. */
  readonly distance: number
}

export interface NearestOptions {
  readonly k: number
  /** A condition on columns, as in SQL: only what meets it is searched. */
  readonly where?: string | undefined
}

/** An index that was opened to be searched, wherever it lies. */
export interface OpenIndex {
  readonly size: number
  /** What conditions can be about. */
  readonly columns: readonly string[]
  /**
   * The nearest items of each query [q, dimension], nearest first.
   *
   * @throws UsageError if the condition cannot be read; DataError if the queries do not fit.
   */
  nearest(queries: Tensor, options: NearestOptions): Promise<Found[][]>
  /** @throws UsageError if there is no such row. */
  entry(row: number): Promise<Entry>
  release(): Promise<void>
}

/** So many rows that meet a condition lie side by side at once. */
const ROWS = 2 ** 14

/** @throws DataError if there is no index, or it is damaged. */
export async function openExact(folder: string, metric: Metric, compute: ComputeOptions): Promise<OpenIndex> {
  const store = await openStore(folder)
  const { head, size } = store
  const columns = [...ownColumns.filter((name) => !head.columns.includes(name)), ...head.columns]
  const all = await store.vectors()
  const data = all.data as Float32Array
  const vector = (row: number) => data.subarray(row * head.dimension, (row + 1) * head.dimension)
  let kept: { readonly k: number; readonly searcher: Searcher } | undefined
  let filtered: { readonly where: string; readonly rows: Int32Array } | undefined

  async function rowsWhere(where: string): Promise<Int32Array> {
    if (filtered?.where === where) return filtered.rows
    const condition = parseCondition(where, columns)
    const rows: number[] = []
    let row = 0
    for await (const entry of store.entries()) {
      if (meets(condition, columnOf(entry))) rows.push(row)
      row++
    }
    filtered = { where, rows: Int32Array.from(rows) }
    return filtered.rows
  }

  /** Searchers are kept, since they look through all vectors when they are opened. */
  async function searcherFor(k: number): Promise<Searcher> {
    if (kept?.k === k) return kept.searcher
    await kept?.searcher.release()
    kept = { k, searcher: openSearcher(all, metric, { k, ...compute }) }
    return kept.searcher
  }

  async function among(rows: Int32Array, queries: Tensor, k: number): Promise<[row: number, distance: number][][]> {
    const best = Array.from({ length: queries.shape[0]! }, (): [number, number][] => [])
    for (let start = 0; start < rows.length; start += ROWS) {
      const some = rows.subarray(start, start + ROWS)
      const searcher = openSearcher(pick(all, some), metric, { k, ...compute })
      const found = await searcher.nearest(queries).finally(() => searcher.release())
      for (const [query, nearest] of best.entries()) {
        for (let i = query * found.k; i < (query + 1) * found.k; i++) {
          nearest.push([some[found.indices[i]!]!, found.distances[i]!])
        }
        nearest.sort(([a, x], [b, y]) => x - y || a - b).splice(k)
      }
    }
    return best
  }

  async function whole(queries: Tensor, k: number): Promise<[row: number, distance: number][][]> {
    const found = await (await searcherFor(k)).nearest(queries)
    return Array.from({ length: queries.shape[0]! }, (_, query) =>
      Array.from({ length: found.k }, (__, i): [number, number] => [
        found.indices[query * found.k + i]!,
        found.distances[query * found.k + i]!,
      ]),
    )
  }

  return {
    size,
    columns,
    async nearest(queries, { k, where }) {
      const rows = where === undefined ? undefined : await rowsWhere(where)
      const nearest = rows ? await among(rows, queries, k) : await whole(queries, k)
      const found: Found[][] = []
      for (const some of nearest) {
        found.push(
          await Promise.all(
            some.map(async ([row, distance]) => ({
              row,
              entry: await store.entry(row),
              vector: vector(row),
              distance,
            })),
          ),
        )
      }
      return found
    },
    entry: async (row) => store.entry(inside(row, size)),
    async release() {
      await kept?.searcher.release()
      await store.close()
    },
  }
}
