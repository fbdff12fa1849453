/** Opens tables, whatever their rows are: images, vectors, or tuples of either. */
import { stat } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { DataError, UsageError } from '../../errors.ts'
import type { Box, ImageInput } from '../../inputs/image.ts'
import type { VectorInput } from '../../inputs/vector.ts'
import { type ImageExample, type OpenImagesOptions, openImageFiles } from '../image-files.ts'
import type { Metadata, Source } from '../source.ts'
import { type Tuples, tuples } from '../tuples.ts'
import { vectors } from '../vectors.ts'
import { type Column, type ColumnOptions, type Columns, findColumns, isList } from './columns.ts'
import { type Database, literal, openDatabase, quoted } from './duckdb.ts'
import { inFolder } from './from-folder.ts'
import { metadataOf } from './metadata.ts'
import { at, listOf, missing, readRows } from './rows.ts'

/** The path of a table, or a query whose tables are named by their paths. */
export type Table = string | Query

export interface Query {
  readonly query: string
  /** What the paths in the query and in its rows are relative to; the working directory if left out. */
  readonly folder?: string | undefined
}

export interface OpenTableOptions extends ColumnOptions {
  /** Whether each row has to have a label; false if left out. Tuples need none. */
  readonly labelled?: boolean
}

/** What a table holds. Images are opened in the form that an encoder takes. */
export type OpenedTable =
  | { readonly kind: 'vectors'; readonly examples: Source<VectorInput> | Tuples<VectorInput> }
  | {
      readonly kind: 'images'
      open(options: OpenImagesOptions): Promise<Source<ImageInput> | Tuples<ImageInput>>
    }

const readers: Readonly<Record<string, (path: string) => string>> = {
  '.csv': (path) => `read_csv(${path})`,
  '.tsv': (path) => `read_csv(${path}, delim = '\\t')`,
  '.jsonl': (path) => `read_json(${path}, format = 'newline_delimited')`,
  '.ndjson': (path) => `read_json(${path}, format = 'newline_delimited')`,
  '.json': (path) => `read_json(${path})`,
  '.parquet': (path) => `read_parquet(${path})`,
}

/** The endings of file names that are taken for tables, in lower case. */
export const tableExtensions: readonly string[] = Object.keys(readers)

/** Whether a file's name ends like a table's, in any case. */
export function isTableFile(name: string): boolean {
  return extensionOf(name) !== undefined
}

function extensionOf(name: string): string | undefined {
  return tableExtensions.find((ending) => name.toLowerCase().endsWith(ending))
}

/**
 * Opens a table: CSV, TSV, JSON lines, JSON or Parquet by its ending, or what an SQL query of DuckDB gives.
 *
 * @throws DataError if DuckDB is not installed or cannot read it, and by the row for what is wrong in it: vectors that are
 *   missing, of different lengths or not finite, labels that are missing, files that are not there; UsageError if columns
 *   are missing.
 */
export async function openTable(table: Table, options: OpenTableOptions = {}): Promise<OpenedTable> {
  const name = typeof table === 'string' ? table : 'the query'
  if (typeof table === 'string') {
    const found = await stat(table).catch(() => undefined)
    if (!found?.isFile()) throw new DataError(`${table} does not exist: expected a table.`)
  }
  const folder = typeof table === 'string' ? dirname(table) : (table.folder ?? '.')
  const database = await openDatabase()
  try {
    const relation = typeof table === 'string' ? relationOf(table) : await relationBy(table, database)
    const found = await database.columns(relation)
    const columns = findColumns(found, options, name)
    const metadata = metadataOf(found, columns, relation)
    const context = { database, relation, columns, table: name, folder, labelled: options.labelled ?? false, metadata }
    if (columns.members) return await openTuples(context, columns.members)
    return columns.vectors ? await openVectors(context, columns.vectors) : await openPaths(context)
  } finally {
    database.close()
  }
}

function relationOf(path: string): string {
  const ending = extensionOf(path)
  if (ending === undefined) {
    throw new UsageError(`${path} should end in ${tableExtensions.join(', ')}, which says what kind of table it is.`)
  }
  return `SELECT * FROM ${readers[ending]!(literal(path))}`
}

async function relationBy({ query, folder }: Query, database: Database): Promise<string> {
  const relation = query.trim().replace(/;+$/, '')
  return folder === undefined ? relation : inFolder(database, relation, folder)
}

interface Context {
  readonly database: Database
  readonly relation: string
  readonly columns: Columns
  readonly table: string
  /** What paths are relative to. */
  readonly folder: string
  readonly labelled: boolean
  readonly metadata: Metadata | undefined
}

async function openVectors(context: Context, columns: readonly Column[]): Promise<OpenedTable> {
  const { item } = context.columns
  const read = await readRows(context.database, context.relation, {
    lists: [listOf(columns)],
    texts: [...textsOf(context.columns), item && quoted(item.name)],
    table: context.table,
  })
  const [labels, groups, splits, roles, items] = read.texts
  const [{ data, dimension }] = read.vectors as [{ data: Float32Array; dimension: number }]
  checkLabels(labels, context)
  const source = vectors(data, {
    dimension,
    labels,
    groups,
    names: items?.map((each, row) => each ?? `row ${row + 1}`),
  })
  const { metadata } = context
  return { kind: 'vectors', examples: Object.assign(source, marked(splits, roles, context), { metadata }) }
}

async function openPaths(context: Context): Promise<OpenedTable> {
  const { path, box } = context.columns
  const read = await readRows(context.database, context.relation, {
    lists: [],
    texts: [...textsOf(context.columns), quoted(path!.name), ...(box ?? []).map(({ name }) => quoted(name))],
    table: context.table,
  })
  const [labels, groups, splits, roles, paths, ...sides] = read.texts
  checkLabels(labels, context)
  const examples = paths!.map((each, row): ImageExample => {
    if (each === null) throw new DataError(`${at(context.table, row)} has no path. Leave the row out.`)
    return {
      path: fileOf(each, context),
      name: each,
      class: labels?.[row] ?? '',
      group: groups?.[row] ?? undefined,
      box: box && boxAt(sides as (string | null)[][], row, context.table),
      required: true,
    }
  })
  await checkFiles(
    examples.map(({ path: file }) => file),
    context.table,
  )
  const marks = { ...marked(splits, roles, context), metadata: context.metadata }
  return { kind: 'images', open: async (options) => ({ ...(await openImageFiles(examples, options)), ...marks }) }
}

async function openTuples(context: Context, members: readonly Column[]): Promise<OpenedTable> {
  const { columns, table } = context
  const score = columns.score && quoted(columns.score.name)
  const names = members.map(({ name }) => name)
  const areVectors = members.every(isList)
  const read = await readRows(context.database, context.relation, {
    lists: areVectors ? members.map((column) => listOf([column])) : [],
    texts: [score, ...(areVectors ? [] : members.map(({ name }) => quoted(name)))],
    table,
  })
  const [scores, ...paths] = read.texts
  const grades = scores?.map((each, row) => {
    if (each !== null && Number.isFinite(Number(each))) return Number(each)
    throw new DataError(`${at(table, row)} has the score ${each}; expected a number.`)
  })
  const parts = (each: readonly (readonly number[])[]) => {
    const named = Object.fromEntries(names.map((name, i) => [grades ? (['a', 'b'][i] ?? name) : name, each[i]!]))
    return { ...named, ...(grades && { score: grades }) } as unknown as Parameters<typeof tuples>[1]
  }
  if (areVectors) {
    const rows = read.vectors[0]!.data.length / read.vectors[0]!.dimension
    const dimension = sameDimension(read.vectors, names, table)
    const all = new Float32Array(rows * names.length * dimension)
    for (const [i, { data }] of read.vectors.entries()) all.set(data, i * rows * dimension)
    const ranges = names.map((_, i) => Array.from({ length: rows }, (__, row) => i * rows + row))
    return { kind: 'vectors', examples: tuples(vectors(all, { dimension }), parts(ranges)) }
  }
  const files = new Map<string, number>()
  const rowsOf = paths.map((each) =>
    each!.map((path, row) => {
      if (path === null) throw new DataError(`${at(table, row)} lacks a path. Leave the row out.`)
      if (!files.has(path)) files.set(path, files.size)
      return files.get(path)!
    }),
  )
  const examples = [...files.keys()].map((path) => ({
    path: fileOf(path, context),
    name: path,
    class: '',
    required: true,
  }))
  await checkFiles(
    examples.map(({ path }) => path),
    table,
  )
  return { kind: 'images', open: async (options) => tuples(await openImageFiles(examples, options), parts(rowsOf)) }
}

/** Label, group, split and role, in this order. */
function textsOf({ label, group, split, role }: Columns): (string | undefined)[] {
  return [label, group, split, role].map((column) => column && quoted(column.name))
}

function checkLabels(labels: readonly (string | null)[] | undefined, { labelled, table }: Context): void {
  if (!labelled) return
  if (!labels) {
    throw new UsageError(`${table} has no column of labels (label, class, category). Name it with --label-column.`)
  }
  const rows = missing(labels)
  if (rows.length === 0) return
  const some = rows.slice(0, 3).map((row) => row + 1)
  throw new DataError(
    `${rows.length} rows of ${table} have no label: ${some.join(', ')}${rows.length > 3 ? ', …' : ''}. Give them one, or leave them out.`,
  )
}

const heldOutNames = ['validation', 'val', 'test', 'heldOut']
const trainingNames = ['train', 'training']

/** Which rows are held out, and which are a gallery. */
function marked(
  splits: readonly (string | null)[] | undefined,
  roles: readonly (string | null)[] | undefined,
  { table }: Context,
): Pick<Source, 'heldOut' | 'gallery'> {
  const flags = (values: readonly (string | null)[], yes: readonly string[], no: readonly string[], what: string) =>
    Uint8Array.from(values, (value, row) => {
      if (yes.includes(value ?? '')) return 1
      if (no.includes(value ?? '')) return 0
      throw new DataError(`${at(table, row)} has the ${what} ${value}; expected one of ${[...no, ...yes].join(', ')}.`)
    })
  return {
    ...(splits && { heldOut: flags(splits, heldOutNames, trainingNames, 'split') }),
    ...(roles && { gallery: flags(roles, ['gallery'], ['query'], 'role') }),
  }
}

function boxAt(sides: readonly (readonly (string | null)[])[], row: number, table: string): Box {
  const [x, y, width, height] = sides.map((side) => Number(side[row] ?? Number.NaN)) as [number, number, number, number]
  if ([x, y, width, height].every(Number.isInteger)) return { x, y, width, height }
  throw new DataError(
    `${at(table, row)} has the box ${sides.map((side) => side[row]).join(', ')}; expected four whole numbers of pixels.`,
  )
}

function fileOf(path: string, { folder }: Context): string {
  return isAbsolute(path) ? path : join(folder, path)
}

async function checkFiles(paths: readonly string[], table: string): Promise<void> {
  const absent: string[] = []
  const different = [...new Set(paths)]
  for (let start = 0; start < different.length; start += FILES) {
    const some = different.slice(start, start + FILES)
    const found = await Promise.all(some.map((path) => stat(path).catch(() => undefined)))
    absent.push(...some.filter((_, i) => !found[i]?.isFile()))
  }
  if (absent.length === 0) return
  throw new DataError(
    `${absent.length} of ${different.length} files that ${table} names are not there: ${absent.slice(0, 3).join(', ')}${absent.length > 3 ? ', …' : ''}. Paths are relative to the table.`,
  )
}

/** So many files are looked for at once. */
const FILES = 64

function sameDimension(found: readonly { dimension: number }[], names: readonly string[], table: string): number {
  const [first] = found as [{ dimension: number }]
  const other = found.findIndex(({ dimension }) => dimension !== first.dimension)
  if (other < 0) return first.dimension
  throw new DataError(
    `The vectors of ${table} have ${first.dimension} numbers in ${names[0]} and ${found[other]!.dimension} in ${names[other]}; expected one length.`,
  )
}
