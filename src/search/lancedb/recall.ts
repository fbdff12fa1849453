/** An approximate index, and what it is worth: nobody should have to guess. */
import { DataError } from '../../errors.ts'
import type { Recall } from '../store/backend.ts'
import type { Packages } from './package.ts'
import { run } from './package.ts'
import { type LanceSearch, orderOf, searchTable } from './search.ts'

/** Below this there is nothing to learn the index from, and nothing to gain. */
const LEAST = 1000
/** So many vectors of its own are searched for. */
const ASKED = 100
const K = 10

/** @throws DataError if there are too few items, or no index orders as the metric does. */
export async function buildApproximate({ lance }: Packages, search: LanceSearch): Promise<Recall> {
  const { table, metric } = search
  const distanceType = orderOf(metric)
  const size = await run(() => table.countRows())
  if (!distanceType) {
    throw new DataError(
      `No index can order as the metric ${metric.name} does, so it is searched exactly: leave --approximate out.`,
    )
  }
  if (size < LEAST) {
    throw new DataError(
      `${size} items are too few for an approximate index, which needs ${LEAST}: leave --approximate out.`,
    )
  }
  await run(() => table.createIndex('vector', { config: lance.Index.hnswSq({ distanceType }), replace: true }))
  return measureRecall(search)
}

/** The share of the ten nearest that the index finds, against comparing all. */
export async function measureRecall(search: LanceSearch): Promise<Recall> {
  const { table, dimension } = search
  const size = await run(() => table.countRows())
  const queries = Math.min(ASKED, size)
  const offsets = Array.from({ length: queries }, (_, i) => Math.floor((i * size) / queries))
  const sample = (await run(() => table.takeOffsets(offsets).select(['vector']).toArray())) as {
    vector: { toArray(): Float32Array }
  }[]
  const data = new Float32Array(sample.length * dimension)
  for (const [i, { vector }] of sample.entries()) data.set(vector.toArray(), i * dimension)
  const asked = { dtype: 'float32', shape: [sample.length, dimension], data } as const
  const [found, all] = [
    await searchTable(search, asked, { k: K }),
    await searchTable(search, asked, { k: K, exactly: true }),
  ]
  let [hits, wanted] = [0, 0]
  for (const [i, expected] of all.entries()) {
    const rows = new Set(found[i]!.map(({ row }) => row))
    hits += expected.filter(({ row }) => rows.has(row)).length
    wanted += expected.length
  }
  return { recallAt10: hits / wanted, queries: sample.length }
}
