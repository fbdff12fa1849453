/** LanceDB as a backend: on disk, on object storage, or a server. The only room that knows it. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import type { Table } from '@lancedb/lancedb'
import { DataError } from '../../errors.ts'
import { cannotWrite } from '../../files.ts'
import { parseCondition } from '../condition.ts'
import { type About, type Backend, isAddress, type MetadataColumn, type Recall } from '../store/backend.ts'
import { type Entry, keyOf, ownColumns } from '../store/entry.ts'
import { checkAllThere } from '../store/folder.ts'
import { locked } from '../store/lock.ts'
import type { Items } from '../store/part.ts'
import { few } from '../store/store.ts'
import { type Database, itemsToChange, itemsToRead, type LanceHead, newItems, readHead, writeHead } from './head.ts'
import { loadLance, run } from './package.ts'
import { buildApproximate, measureRecall } from './recall.ts'
import { columnAt, schemaOf, sqlTypes, tableOf } from './rows.ts'
import { type LanceSearch, orderOf, searchTable } from './search.ts'
import { literal, toSql } from './sql.ts'

async function connect(place: string): Promise<Database> {
  const packages = await loadLance()
  return { packages, connection: await run(() => packages.lance.connect(place)) }
}

/** Of an index that should be there: a folder that is not is not made. */
async function connectTo(place: string): Promise<Database & { readonly head: LanceHead }> {
  if (!isAddress(place) && !(await stat(place).catch(() => undefined))) {
    throw new DataError(
      `There is no index at ${place}. Make one: isometry index MODEL DATA --out ${place} --store lancedb`,
    )
  }
  const database = await connect(place)
  return { ...database, head: await readHead(database, place) }
}

/** One writer at a time, where that can be seen to: on this machine. */
function alone<T>(place: string, work: () => Promise<T>): Promise<T> {
  return isAddress(place) ? work() : locked(place, work)
}

export const lancedb: Backend = {
  about: async (place) => (await connectTo(place)).head,

  async checkNew(place) {
    const files = isAddress(place) ? [] : await readdir(place).catch(() => undefined)
    if (!files) return
    // What a process that was killed had begun is begun anew.
    const isOurs = files.every((file) => /\.lance$|^writer$|^__manifest$/.test(file))
    if (isOurs && !(await isFinished(await connect(place), place))) return
    throw new DataError(
      `${place} exists. Name another place, or add to the index that is there: isometry index add ${place} MODEL DATA`,
    )
  },

  async create(place, about, items, options) {
    await lancedb.checkNew(place)
    if (isAddress(place)) return build(place, about, items, options)
    await mkdir(place, { recursive: true }).catch(cannotWrite(place))
    try {
      return await alone(place, () => build(place, about, items, options))
    } catch (error) {
      await rm(place, { recursive: true, force: true })
      throw error
    }
  },

  async add(place, items, { columns: given, replace = false, metric, compute }) {
    return alone(place, async () => {
      const { head, ...database } = await connectTo(place)
      const { packages } = database
      const table = await itemsToChange(database, head)
      const columns = await withColumns(table, head.columns, given)
      const schema = schemaOf(packages, head.dimension, columns)
      const before = async (keys: readonly string[]) => {
        const filter = `key IN (${keys.map(literal).join(', ')})`
        const there = (await run(() => table.query().where(filter).select(['item']).toArray())) as { item: string }[]
        if (there.length === 0) return
        if (replace) await run(() => table.delete(filter))
        else throw alreadyThere(there.map(({ item }) => item))
      }
      await fill(table, checked(items), (some) => tableOf(packages, schema, some, columns), before)
      const search = { table, columns, dimension: head.dimension, metric, compute }
      const recall = head.recall && (await renew(search))
      await writeHead(database, { ...head, columns, version: await table.version(), recall })
      return recall
    })
  },

  async remove(place, removal) {
    return alone(place, async () => {
      const { head, ...database } = await connectTo(place)
      const table = await itemsToChange(database, head)
      const before = await run(() => table.countRows())
      const names = [...ownColumns, ...head.columns.map(({ name }) => name)]
      const filter =
        'where' in removal
          ? toSql(parseCondition(removal.where, names), head.columns)
          : await namedIn(table, removal, place)
      await run(() => table.delete(filter))
      await writeHead(database, { ...head, version: await table.version() })
      return before - (await run(() => table.countRows()))
    })
  },

  async open(place, metric, compute, warn) {
    const { head, ...database } = await connectTo(place)
    const table = await itemsToRead(database, head)
    const { columns, dimension } = head
    const search: LanceSearch = { table, columns, dimension, metric, compute }
    if (!orderOf(metric)) warn(`no index can order as the metric ${metric.name} does: all vectors are compared`)
    return {
      size: await run(() => table.countRows()),
      columns: [...ownColumns, ...columns.map(({ name }) => name)],
      nearest: (queries, options) => searchTable(search, queries, options),
      async entry(row) {
        const found = (await run(() => table.takeRowIds([row]).select(['entry']).toArray())) as { entry: string }[]
        return found[0] && (JSON.parse(found[0].entry) as Entry)
      },
      async release() {
        table.close()
        database.connection.close()
      },
    }
  },
}

async function isFinished(database: Database, place: string): Promise<boolean> {
  return readHead(database, place).then(
    () => true,
    () => false,
  )
}

async function build(
  place: string,
  about: About,
  items: AsyncIterable<Items>,
  { columns, approximate, metric, compute }: Parameters<Backend['create']>[3],
): Promise<Recall | undefined> {
  const database = await connect(place)
  const { packages } = database
  const { model, dimension } = about
  const schema = schemaOf(packages, dimension, columns)
  const table = await newItems(database, packages.lance.makeArrowTable([], { schema: schema as never }))
  await fill(table, checked(items), (some) => tableOf(packages, schema, some, columns))
  const recall = approximate
    ? await buildApproximate(packages, { table, columns, dimension, metric, compute })
    : undefined
  await writeHead(database, { model, metric: about.metric, dimension, columns, version: await table.version(), recall })
  return recall
}

/** Adds items as they come; each part is a commit of its own, and none of them counts before the head says so. */
async function fill(
  table: Table,
  items: AsyncIterable<Items>,
  rows: (some: Items) => unknown,
  before: (keys: readonly string[]) => Promise<void> = async () => {},
): Promise<void> {
  for await (const some of items) {
    if (some.entries.length === 0) continue
    await before(some.entries.map(keyOf))
    await run(() => table.add(rows(some) as never))
  }
}

/** @throws DataError if an item came before. */
async function* checked(items: AsyncIterable<Items>): AsyncGenerator<Items> {
  const seen = new Set<string>()
  for await (const some of items) {
    const twice = some.entries.filter((entry) => {
      const key = keyOf(entry)
      return seen.has(key) || !seen.add(key)
    })
    if (twice.length > 0) {
      throw new DataError(
        `${few(
          twice.map(({ item }) => item),
          'given more than once',
        )} Leave them out the second time.`,
      )
    }
    yield some
  }
}

function alreadyThere(items: readonly string[]): DataError {
  return new DataError(
    `${few(items, 'in the index already')} Leave them out, or replace those that are there with --replace.`,
  )
}

/** The columns that there are, and those that are new, which the rows before have not. */
async function withColumns(
  table: Table,
  columns: readonly MetadataColumn[],
  given: readonly MetadataColumn[],
): Promise<readonly MetadataColumn[]> {
  const more = given.filter(({ name }) => columns.every((each) => each.name !== name))
  if (more.length === 0) return columns
  const added = more.map(({ type }, i) => ({
    name: columnAt(columns.length + i),
    valueSql: `CAST(NULL AS ${sqlTypes[type]})`,
  }))
  await run(() => table.addColumns(added))
  return [...columns, ...more]
}

/** Brings what was added into the approximate index, and measures it again. */
async function renew(search: LanceSearch): Promise<Recall> {
  await run(() => search.table.optimize())
  return measureRecall(search)
}

/** @throws DataError if one of the items is not there. */
async function namedIn(
  table: Table,
  { items, places }: { readonly items: readonly string[]; readonly places: readonly string[] },
  place: string,
): Promise<string> {
  const lists = [items, places].map((each) => each.map(literal).join(', '))
  const filter = `item IN (${lists[0]}) OR path IN (${lists[1]})`
  const found = (await run(() => table.query().where(filter).select(['item', 'path']).toArray())) as {
    item: string
    path: string | null
  }[]
  const there = new Set(found.flatMap(({ item, path }) => (path === null ? [item] : [item, path])))
  checkAllThere(
    items.filter((item, i) => !there.has(item) && !there.has(places[i]!)),
    place,
  )
  return filter
}
