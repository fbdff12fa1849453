/** Tables through DuckDB: the only file that knows it. It is loaded when a table is first read. */

import { tmpdir } from 'node:os'
import type { DuckDBConnection, DuckDBVector } from '@duckdb/node-api'
import { DataError } from '../../errors.ts'
import type { MetadataValue } from '../source.ts'

/** A column of a part of a table. */
export interface Part {
  readonly rows: number
  /** A value; null where there is none. */
  text(column: number, row: number): string | null
  number(column: number, row: number): number | null
  /** Of a column of texts, numbers or truth values. */
  value(column: number, row: number): MetadataValue
  /**
   * The numbers of a list of floats, as they lie in memory; undefined where there is no list. Numbers that are missing are NaN.
   */
  list(column: number, row: number): Float32Array | undefined
}

export interface Database {
  /** The names and types of the columns that a query gives. */
  columns(query: string): Promise<{ readonly name: string; readonly type: string }[]>
  count(query: string): Promise<number>
  /** A query as DuckDB parses it, as JSON; of what is none, the error. */
  parse(query: string): Promise<string>
  /** What a query gives, part by part. */
  read(query: string): AsyncGenerator<Part>
  close(): void
}

/**
 * DuckDB itself may take so much; what is read lies elsewhere. Each of its threads holds a whole group of rows, 60 MiB of
 * vectors of 128 numbers.
 */
const SETTINGS = {
  memory_limit: '192MB',
  threads: '1',
  temp_directory: tmpdir(),
  // What it has done with goes back at once: kept for later, it took as much again.
  allocator_flush_threshold: '1MB',
  allocator_bulk_deallocation_flush_threshold: '1MB',
}

/**
 * @param load how the package is loaded.
 * @throws DataError if the package is not installed.
 */
export async function openDatabase(load = () => import('@duckdb/node-api')): Promise<Database> {
  const { DuckDBInstance } = await load().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'MODULE_NOT_FOUND') throw error
    throw new DataError(
      'Tables are read by the package @duckdb/node-api, which is not installed. Install it: npm install @duckdb/node-api ' +
        '(with npx: npx -p isometry -p @duckdb/node-api isometry …).',
      { cause: error },
    )
  })
  const instance = await DuckDBInstance.create(':memory:', SETTINGS)
  const connection = await instance.connect()
  const rows = async (query: string) => (await run(() => connection.runAndReadAll(query))).getRows()
  const one = async (query: string) => (await rows(query))[0]![0]
  return {
    async columns(query) {
      return (await rows(`DESCRIBE (${query})`)).map(([name, type]) => ({ name: String(name), type: String(type) }))
    },
    count: async (query) => Number(await one(`SELECT count(*) FROM (${query})`)),
    parse: async (query) => String(await one(`SELECT json_serialize_sql(${literal(query)})`)),
    read: (query) => parts(connection, query),
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

async function* parts(connection: DuckDBConnection, query: string): AsyncGenerator<Part> {
  const result = await run(() => connection.stream(query))
  for (;;) {
    const chunk = await run(() => result.fetchChunk())
    if (!chunk || chunk.rowCount === 0) return
    const vectors = Array.from({ length: chunk.columnCount }, (_, i) => chunk.getColumnVector(i))
    yield {
      rows: chunk.rowCount,
      text: (column, row) => vectors[column]!.getItem(row) as string | null,
      number: (column, row) => vectors[column]!.getItem(row) as number | null,
      value: (column, row) => vectors[column]!.getItem(row) as MetadataValue,
      list: (column, row) => listAt(vectors[column]! as unknown as ListVector, row),
    }
  }
}

/** What a vector of lists holds: where each begins and how long it is, and the numbers of all. */
interface ListVector extends Pick<DuckDBVector, 'itemCount'> {
  readonly entryData: BigUint64Array
  readonly validity: Validity
  readonly childData: { readonly items: Float32Array; readonly validity: Validity }
}
interface Validity {
  itemValid(index: number): boolean
  /** Null where all are valid. */
  readonly data?: unknown
}

function listAt({ entryData, validity, childData }: ListVector, row: number): Float32Array | undefined {
  if (!validity.itemValid(row)) return undefined
  const [start, length] = [Number(entryData[2 * row]), Number(entryData[2 * row + 1])]
  const numbers = childData.items.subarray(start, start + length)
  if (!childData.validity.data) return numbers
  return numbers.map((value, i) => (childData.validity.itemValid(start + i) ? value : Number.NaN))
}

/** DuckDB's own errors in their first line. */
async function run<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const [line] = (error as Error).message.split('\n')
    throw new DataError(`DuckDB cannot read it: ${line}`, { cause: error })
  }
}

/** A name as SQL has it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as SQL has it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
