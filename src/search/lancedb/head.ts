/**
 * What an index in LanceDB says of itself: a table of one row beside that of the items. It names the version of the items that
 * counts, so that its replacement, which is one commit, is the moment of every change.
 */
import type { Connection, Table } from '@lancedb/lancedb'
import { DataError } from '../../errors.ts'
import type { About, MetadataColumn, Recall } from '../store/backend.ts'
import { type Packages, run } from './package.ts'

const FORMAT = 1
const [HEAD, ITEMS] = ['about', 'items']

export interface LanceHead extends About {
  readonly format: typeof FORMAT
  readonly columns: readonly MetadataColumn[]
  /** The version of the table of items. */
  readonly version: number
  /** How the approximate index does; left out where there is none. */
  readonly recall?: Recall | undefined
}

export interface Database {
  readonly packages: Packages
  readonly connection: Connection
}

/** @throws DataError if there is no index, or one of a newer format. */
export async function readHead({ connection }: Database, place: string): Promise<LanceHead> {
  const names = await run(() => connection.tableNames())
  if (!names.includes(HEAD)) {
    throw new DataError(
      `There is no index at ${place}. Make one: isometry index MODEL DATA --out ${place} --store lancedb`,
    )
  }
  const table = await run(() => connection.openTable(HEAD))
  const [row] = (await run(() => table.query().limit(1).toArray())) as { text: string }[]
  const head = parse(row?.text, place)
  if (head.format > FORMAT) {
    throw new DataError(
      `${place} is an index of format ${head.format}, newer than this program's ${FORMAT}. Update isometry.`,
    )
  }
  return head
}

export async function writeHead(
  { connection, packages: { arrow } }: Database,
  head: Omit<LanceHead, 'format'>,
): Promise<void> {
  const text = arrow.vectorFromArray([JSON.stringify({ format: FORMAT, ...head })], new arrow.Utf8())
  await run(() => connection.createTable(HEAD, new arrow.Table({ text }), { mode: 'overwrite' }))
}

/** The items as the head has them; what a change that was not finished left is set aside. */
export async function itemsToChange({ connection }: Database, { version }: LanceHead): Promise<Table> {
  const table = await run(() => connection.openTable(ITEMS))
  if ((await run(() => table.version())) === version) return table
  await run(() => table.checkout(version))
  await run(() => table.restore())
  return table
}

/** The items as the head has them, whatever comes. */
export async function itemsToRead({ connection }: Database, { version }: LanceHead): Promise<Table> {
  const table = await run(() => connection.openTable(ITEMS))
  await run(() => table.checkout(version))
  return table
}

export async function newItems(
  { connection }: Database,
  first: Parameters<Connection['createTable']>[1],
): Promise<Table> {
  return run(() => connection.createTable(ITEMS, first as never, { mode: 'overwrite' }))
}

function parse(text: string | undefined, place: string): LanceHead {
  try {
    const head = JSON.parse(text!) as LanceHead
    if (Number.isInteger(head.format) && Number.isInteger(head.version) && Array.isArray(head.columns)) return head
  } catch {
    // Said below.
  }
  throw new DataError(`The index ${place} is damaged: what it says of itself cannot be read. Make it again.`)
}
