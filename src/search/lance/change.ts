/**
 * Items in LanceDB, made, added and removed. Every change writes versions of the table of items that nothing names yet, and
 * then replaces the head, which names the last of them: whatever ends the process, the index is as it was before or as it is
 * after.
 */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { DataError } from '../../errors.ts'
import { cannotWrite, syncFolder } from '../../files.ts'
import type { Metric } from '../../metrics/metric.ts'
import type { ComputeOptions } from '../../runtime/session.ts'
import { type Entry, keyOf } from '../store/entry.ts'
import { locked } from '../store/lock.ts'
import type { Items } from '../store/part.ts'
import { type AddOptions, checked, checkNew } from '../store/store.ts'
import { buildApproximate, type Wanted, withRecall } from './approximate.ts'
import { hasHead, ITEMS, type LanceHead, newLanceHead, openItems, readLanceHead, writeLanceHead } from './head.ts'
import { idsIn } from './literal.ts'
import { connect, isAddress, type Lance, told } from './package.ts'
import { entriesOf, idsOf, newColumns, numbered, toTable } from './rows.ts'

/** What is measured with. */
export interface Measuring {
  readonly metric: Metric
  readonly compute: ComputeOptions
}

/** Bytes of vectors that become a version of the table at once. */
const AT_ONCE = 2 ** 25
/** Rows that one condition names. */
const NAMED = 10_000
/** How long a version is kept for those who still read it, in milliseconds. */
const KEPT = 86_400_000

/** @throws DataError if there is an index already, two items are the same, or there are too few to approximate. */
export async function createLance(
  path: string,
  of: Pick<LanceHead, 'model' | 'dimension'>,
  items: AsyncIterable<Items>,
  { approximate, ...measuring }: Measuring & { readonly approximate?: Wanted | undefined },
): Promise<LanceHead> {
  const fill = async (place: string) => {
    const db = await connect(place)
    if (await hasHead(db, place)) {
      throw new DataError(`${path} exists. Add to the index that is there: isometry index add ${path} MODEL DATA`)
    }
    const start = newLanceHead({ ...of, metric: measuring.metric.name })
    const none = toTable({ vectors: new Float32Array(0), entries: [] }, of.dimension, [], 0)
    const table = await told(path, () => db.createEmptyTable(ITEMS, none.schema as never, { mode: 'overwrite' }))
    let head = await append(path, table, start, checked(items, new Set()))
    if (approximate) head = await buildApproximate(path, table, head, approximate, measuring)
    head = await settled(path, table, head, measuring)
    await writeLanceHead(db, path, head)
    db.close()
    return head
  }
  if (isAddress(path)) return fill(path)

  // Beside its folder first, and then in its place in one move.
  await checkNew(path)
  const partial = await mkdir(dirname(resolve(path)), { recursive: true })
    .then(() => mkdtemp(join(dirname(resolve(path)), `.${basename(path)}.partial-`)))
    .catch(cannotWrite(path))
  try {
    const head = await fill(partial)
    await checkNew(path)
    await rename(partial, path)
    await syncFolder(dirname(resolve(path)))
    return head
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  }
}

/** Adds items, all of them or none. @throws DataError if one is there already, unless it is to be replaced. */
export async function addToLance(
  path: string,
  items: AsyncIterable<Items>,
  { replace = false, ...measuring }: AddOptions & Measuring,
): Promise<LanceHead> {
  return change(path, measuring, async (table, head) => {
    const there = new Map<string, number>()
    for await (const [id, entry] of allEntries(path, table)) there.set(keyOf(entry), id)
    const added = new Set<string>()
    const refused = replace ? new Set<string>() : new Set(there.keys())
    const grown = await append(path, table, head, checked(items, added, refused))
    await deleteRows(
      path,
      table,
      [...added].flatMap((key) => there.get(key) ?? []),
    )
    return grown
  })
}

/** Removes items, and says how many. Nothing is removed if `check`, once all were looked at, throws. */
export async function removeFromLance(
  path: string,
  isRemoved: (entry: Entry) => boolean,
  check: () => void = () => {},
): Promise<number> {
  const ids: number[] = []
  await change(path, undefined, async (table, head) => {
    for await (const [id, entry] of allEntries(path, table)) if (isRemoved(entry)) ids.push(id)
    check()
    await deleteRows(path, table, ids)
    return head
  })
  return ids.length
}

/** @param measuring with what recall is measured anew; as it was if left out. */
async function change(
  path: string,
  measuring: Measuring | undefined,
  work: (table: Lance.Table, head: LanceHead) => Promise<LanceHead>,
): Promise<LanceHead> {
  const run = async () => {
    const { db, head, items: table } = await openItems(path)
    try {
      // What came after is of a change that was not finished.
      if ((await table.version()) !== head.version) {
        await told(path, () => table.checkout(head.version))
        await told(path, () => table.restore())
      }
      const changed = await settled(path, table, await work(table, head), measuring)
      const now = await readLanceHead(db, path)
      if (now.version !== head.version || now.next !== head.next) {
        throw new DataError(
          `${path} was changed by another process meanwhile. Nothing was changed by this one: run it again.`,
        )
      }
      await writeLanceHead(db, path, changed)
      await prune(path, table, new Date(Date.now() - KEPT))
      return changed
    } finally {
      db.close()
    }
  }
  if (isAddress(path)) return run()
  // Whether it is there is said before a lock is looked for.
  const { db } = await openItems(path)
  db.close()
  return locked(path, run)
}

/** The head of the table as it is now: with its fragments put together, and its approximation up to date. */
async function settled(
  path: string,
  table: Lance.Table,
  head: LanceHead,
  measuring: Measuring | undefined,
): Promise<LanceHead> {
  // Nothing may go that the old head still names.
  await prune(path, table, new Date(0))
  const measured = measuring ? await withRecall(path, table, head, measuring) : head
  return { ...measured, version: await told(path, () => table.version()) }
}

/** Puts fragments together, brings indexes up to date, and lets versions go that are older. A server does so itself. */
async function prune(path: string, table: Lance.Table, older: Date): Promise<void> {
  if (path.startsWith('db://')) return
  await told(path, () => table.optimize({ cleanupOlderThan: older }))
}

async function append(
  path: string,
  table: Lance.Table,
  { columns: before, next: first, ...head }: LanceHead,
  items: AsyncIterable<Items>,
): Promise<LanceHead> {
  const columns = new Set(before)
  let width = (await told(path, () => table.schema())).fields.filter(({ name }) => name.endsWith('_k')).length
  let next = first
  let held: Items[] = []
  let bytes = 0
  const flush = async () => {
    const entries = held.flatMap((some) => some.entries)
    if (entries.length === 0) return
    const vectors = new Float32Array(entries.length * head.dimension)
    let at = 0
    for (const some of held) {
      vectors.set(some.vectors, at)
      at += some.vectors.length
    }
    held = []
    bytes = 0
    const wanted = numbered([...columns]).length
    if (wanted > width) await told(path, () => table.addColumns(newColumns(width, wanted)))
    width = wanted
    const rows = toTable({ vectors, entries }, head.dimension, [...columns], next)
    await told(path, () => table.add(rows as never))
    next += entries.length
  }
  for await (const some of items) {
    for (const { metadata } of some.entries) for (const name of Object.keys(metadata ?? {})) columns.add(name)
    held.push(some)
    bytes += some.vectors.byteLength
    if (bytes >= AT_ONCE) await flush()
  }
  await flush()
  return { ...head, columns: [...columns], next }
}

async function* allEntries(path: string, table: Lance.Table): AsyncGenerator<[id: number, entry: Entry]> {
  for await (const batch of await told(path, async () => table.query().select(['id', 'entry']))) {
    const ids = idsOf(batch)
    let row = 0
    for (const entry of entriesOf(batch)) yield [ids[row++]!, entry]
  }
}

async function deleteRows(path: string, table: Lance.Table, ids: readonly number[]): Promise<void> {
  for (let start = 0; start < ids.length; start += NAMED) {
    await told(path, () => table.delete(idsIn(ids.slice(start, start + NAMED))))
  }
}
