/** Search in LanceDB's table: it finds candidates, and the metric's own distance orders them. */
import type { Table, VectorQuery } from '@lancedb/lancedb'
import type { Metric } from '../../metrics/metric.ts'
import type { ComputeOptions } from '../../runtime/session.ts'
import type { Tensor } from '../../tensor.ts'
import { parseCondition } from '../condition.ts'
import { nearest } from '../searcher.ts'
import type { Found, MetadataColumn, NearestOptions } from '../store/backend.ts'
import { type Entry, ownColumns } from '../store/entry.ts'
import { run } from './package.ts'
import { toSql } from './sql.ts'

/** What LanceDB calls the order of a metric; undefined where it has none. */
export function orderOf({ directional, search }: Metric): 'cosine' | 'l2' | 'dot' | undefined {
  if (!search) return undefined
  if (directional) return 'cosine'
  return search.space === 'l2' ? 'l2' : 'dot'
}

/** Candidates beyond those asked for, among which rounding may have changed the order. */
const SPARE = 16
/** How many partitions are looked into, and how many times more candidates are compared by their whole vectors. */
const [PROBES, REFINE] = [32, 4]

export interface LanceSearch {
  readonly table: Table
  readonly dimension: number
  readonly columns: readonly MetadataColumn[]
  readonly metric: Metric
  readonly compute: ComputeOptions
}

/** @param exactly whether an approximate index is passed over. */
export async function searchTable(
  { table, columns, dimension, metric, compute }: LanceSearch,
  queries: Tensor,
  { k, where, exactly = false }: NearestOptions & { readonly exactly?: boolean },
): Promise<Found[][]> {
  const order = orderOf(metric)
  const filter =
    where === undefined
      ? undefined
      : toSql(parseCondition(where, [...ownColumns, ...columns.map(({ name }) => name)]), columns)
  const all = order ? undefined : await fetch(filter ? table.query().where(filter) : table.query(), dimension)
  const results: Found[][] = []
  for (let query = 0; query < queries.shape[0]!; query++) {
    const asked = (queries.data as Float32Array).subarray(query * dimension, (query + 1) * dimension)
    const candidates = all ?? (await fetch(near(table, asked, order!, k + SPARE, filter, exactly), dimension))
    results.push(await ordered(asked, candidates, metric, k, compute))
  }
  return results
}

function near(
  table: Table,
  asked: Float32Array,
  order: 'cosine' | 'l2' | 'dot',
  count: number,
  filter: string | undefined,
  exactly: boolean,
): VectorQuery {
  const query = table.query().nearestTo(asked).column('vector').distanceType(order).limit(count)
  const found = exactly ? query.bypassVectorIndex() : query.nprobes(PROBES).refineFactor(REFINE)
  return filter ? found.where(filter) : found
}

export interface Candidates {
  readonly rows: readonly number[]
  readonly entries: readonly Entry[]
  readonly vectors: Tensor
}

/** What a query gives, by row. */
async function fetch(query: ReturnType<Table['query']> | VectorQuery, dimension: number): Promise<Candidates> {
  const found = (await run(() => query.withRowId().select(['_rowid', 'vector', 'entry']).toArray())) as {
    _rowid: bigint
    vector: { toArray(): Float32Array }
    entry: string
  }[]
  found.sort((a, b) => Number(a._rowid) - Number(b._rowid))
  const data = new Float32Array(found.length * dimension)
  for (const [i, { vector }] of found.entries()) data.set(vector.toArray(), i * dimension)
  return {
    rows: found.map(({ _rowid }) => Number(_rowid)),
    entries: found.map(({ entry }) => JSON.parse(entry) as Entry),
    vectors: { dtype: 'float32', shape: [found.length, dimension], data },
  }
}

async function ordered(
  asked: Float32Array,
  { rows, entries, vectors }: Candidates,
  metric: Metric,
  k: number,
  compute: ComputeOptions,
): Promise<Found[]> {
  if (rows.length === 0) return []
  const dimension = asked.length
  const found = await nearest({ dtype: 'float32', shape: [1, dimension], data: asked }, vectors, metric, {
    k,
    ...compute,
  })
  return Array.from(found.indices, (place, i) => ({
    row: rows[place]!,
    entry: entries[place]!,
    vector: (vectors.data as Float32Array).subarray(place * dimension, (place + 1) * dimension),
    distance: found.distances[i]!,
  }))
}
