/** Queries whose files are relative to a folder of their own, wherever the process is. */
import { isAbsolute, resolve } from 'node:path'
import { type Database, literal, quoted } from './duckdb.ts'

/** What DuckDB takes for a file where a table is named. */
const FILE = /\.(csv|tsv|json|jsonl|ndjson|parquet)(\.(gz|zst))?$/i
/** Functions that are told files first: `read_csv`, `parquet_scan`, `glob`, … */
const READS = /^(read_|glob$|sniff_csv$)|_scan$/
const ADDRESS = /^[\w+.-]+:\/\//

/**
 * The same query with the files that it names made absolute. DuckDB has a setting of folders to search, but looks into the
 * working directory first.
 *
 * @param query what cannot be parsed is given back as it is: DuckDB says what is wrong with it.
 */
export async function inFolder(database: Database, query: string, folder: string): Promise<string> {
  const found = filesIn(JSON.parse(await database.parse(query)))
  let text = Buffer.from(query)
  for (const { path, location } of found.sort((a, b) => b.location - a.location)) {
    if (isAbsolute(path) || ADDRESS.test(path)) continue
    const [before, after] = [text.subarray(0, location), text.subarray(location).toString()]
    // As it was written: in quotes, those in it doubled.
    const written = [literal(path), quoted(path)]
    const token = written.find((each) => after.startsWith(each))
    if (!token) continue
    text = Buffer.concat([before, Buffer.from(literal(resolve(folder, path)) + after.slice(token.length))])
  }
  return text.toString()
}

interface Named {
  readonly path: string
  /** Bytes before it. */
  readonly location: number
}

/** The files that a parsed query names. */
function filesIn(part: unknown): Named[] {
  if (typeof part !== 'object' || part === null) return []
  const within = Object.values(part).flatMap(filesIn)
  const { type, table_name: table, function: called, query_location: location } = part as Record<string, unknown>
  if (type === 'BASE_TABLE' && FILE.test(table as string)) {
    return [...within, { path: table as string, location: location as number }]
  }
  const { function_name: name, children } = (called ?? {}) as { function_name?: string; children?: unknown[] }
  return type === 'TABLE_FUNCTION' && READS.test(name!) ? [...within, ...textsIn(children![0])] : within
}

/** A text, or each of a list of them. */
function textsIn(part: unknown): Named[] {
  const {
    value,
    children = [],
    query_location: location,
  } = part as {
    readonly value?: { readonly value: unknown }
    readonly children?: readonly unknown[]
    readonly query_location: number
  }
  if (typeof value?.value === 'string') return [{ path: value.value, location }]
  return children.flatMap(textsIn)
}
