/** What an index in LanceDB says of itself: one row of a table of its own, by whose replacement every change takes place. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DataError } from '../../errors.ts'
import type { Head } from '../store/head.ts'
import { connect, isAddress, type Lance, told } from './package.ts'

const HEAD = 'isometry'
export const ITEMS = 'items'
const FORMAT = 1

export interface LanceHead extends Pick<Head, 'model' | 'metric' | 'dimension' | 'columns'> {
  readonly format: typeof FORMAT
  /** The version of the table of items that counts: what came after it was not finished. */
  readonly version: number
  /** The number of the next item. */
  readonly next: number
  readonly approximate?: Approximate | undefined
}

/** How an index that does not look at every vector was made, and how much of what is nearest it finds. */
export interface Approximate extends ApproximateSettings {
  /** The share of the ten nearest that were found, over so many of its own items; left out until it was measured. */
  readonly recall?: { readonly at: 10; readonly share: number; readonly queries: number } | undefined
}

export interface ApproximateSettings {
  readonly kind: 'ivf-flat' | 'ivf-pq' | 'hnsw-sq'
  /** Into how many parts vectors are put. */
  readonly partitions: number
  /** How many of them are looked into for each query. */
  readonly probes: number
}

export const newLanceHead = (of: Pick<Head, 'model' | 'metric' | 'dimension'>): LanceHead => ({
  format: FORMAT,
  ...of,
  columns: [],
  version: 0,
  next: 0,
})

/** Whether a folder, or an address, is that of an index in LanceDB. */
export async function isLance(path: string): Promise<boolean> {
  if (isAddress(path)) return true
  return (await stat(join(path, `${HEAD}.lance`)).catch(() => undefined)) !== undefined
}

/** Whether there is one that is whole. */
export async function hasHead(db: Lance.Connection, path: string): Promise<boolean> {
  return (await told(path, () => db.tableNames({ limit: 1000 }))).includes(HEAD)
}

/** @throws DataError if there is no index, or one of a newer format, or a damaged one. */
export async function readLanceHead(db: Lance.Connection, path: string): Promise<LanceHead> {
  if (!(await hasHead(db, path))) {
    throw new DataError(
      `There is no index at ${path}. Make one: isometry index MODEL DATA --store lancedb --out ${path}`,
    )
  }
  const table = await told(path, () => db.openTable(HEAD))
  const [row] = await told(path, () => table.query().select(['head']).toArray())
  let head: LanceHead | undefined
  try {
    head = JSON.parse(String(row?.head)) as LanceHead
  } catch {
    head = undefined
  }
  if (typeof head?.format === 'number' && head.format > FORMAT) {
    throw new DataError(
      `${path} is an index of format ${head.format}, newer than this program's ${FORMAT}. Update isometry.`,
    )
  }
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
  if (
    head?.format === FORMAT &&
    typeof head.model === 'string' &&
    typeof head.metric === 'string' &&
    Array.isArray(head.columns) &&
    [head.dimension, head.version, head.next].every(isCount)
  ) {
    return head
  }
  throw new DataError(
    `The index ${path} is damaged: fields of what it says of itself are missing or of another kind. Make it again with \`isometry index\`.`,
  )
}

/** In one move: a table has its old version or the new one. */
export async function writeLanceHead(db: Lance.Connection, path: string, head: LanceHead): Promise<void> {
  const rows = [{ head: JSON.stringify(head) }]
  if (await hasHead(db, path)) {
    const table = await db.openTable(HEAD)
    await told(path, () => table.add(rows, { mode: 'overwrite' }))
  } else await told(path, () => db.createTable(HEAD, rows))
}

/** The table of items as the head says that it is. */
export async function openItems(path: string): Promise<{ db: Lance.Connection; head: LanceHead; items: Lance.Table }> {
  const db = await connect(path)
  const head = await readLanceHead(db, path)
  const items = await told(path, () => db.openTable(ITEMS))
  return { db, head, items }
}
