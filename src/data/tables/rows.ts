/** The rows of a table as arrays: numbers in one, labels as few different strings. */
import { DataError } from '../../errors.ts'
import { type Column, isList } from './columns.ts'
import { type Database, quoted } from './duckdb.ts'

/** Rows are told from 1, and a header does not count. */
export const at = (table: string, row: number) => `Row ${row + 1} of ${table}`

/** Lists of numbers as an expression: one column of lists, or many of numbers. */
export function listOf(columns: readonly Column[]): string {
  const [first] = columns
  if (columns.length === 1 && isList(first!)) return `${quoted(first!.name)}::FLOAT[]`
  return `[${columns.map(({ name }) => `${quoted(name)}::FLOAT`).join(', ')}]`
}

export interface Vectors {
  /** [rows, dimension], row-major. */
  readonly data: Float32Array
  readonly dimension: number
}

/** Which rows of texts have no value. */
export function missing(values: readonly (string | null)[]): number[] {
  const rows: number[] = []
  for (const [row, value] of values.entries()) if (value === null || value === '') rows.push(row)
  return rows
}

/**
 * Reads matrices and texts in one pass; no number becomes a JavaScript value of its own.
 *
 * @param lists expressions of lists of numbers.
 * @param texts expressions, or undefined for columns that are not there.
 * @throws DataError by its row where a list is missing, longer or shorter than the first, or holds what is not finite.
 */
export async function readRows(
  database: Database,
  relation: string,
  { lists, texts, table }: { lists: readonly string[]; texts: readonly (string | undefined)[]; table: string },
): Promise<{
  readonly vectors: readonly Vectors[]
  readonly texts: readonly (readonly (string | null)[] | undefined)[]
}> {
  const rows = await database.count(relation)
  if (rows === 0) throw new DataError(`${table} has no rows.`)
  const given = texts.filter((text) => text !== undefined)
  const selected = [...lists, ...given.map((text) => `(${text})::VARCHAR`)]
  const found: (Float32Array | undefined)[] = lists.map(() => undefined)
  const read = given.map(() => new Array<string | null>(rows))
  // Equal texts are one string.
  const known = new Map<string, string>()
  let row = 0
  for await (const part of database.read(`SELECT ${selected.join(', ')} FROM (${relation})`)) {
    for (let i = 0; i < part.rows; i++, row++) {
      for (let k = 0; k < lists.length; k++) {
        const numbers = part.list(k, i)
        if (!numbers) throw new DataError(`${at(table, row)} has no vector. Leave the row out.`)
        found[k] ??= new Float32Array(rows * numbers.length)
        put(found[k]!, numbers, { row, rows, table })
      }
      for (let k = 0; k < read.length; k++) {
        const text = part.text(lists.length + k, i)
        if (text !== null && !known.has(text)) known.set(text, text)
        read[k]![row] = text === null ? null : known.get(text)!
      }
    }
  }
  let next = 0
  return {
    vectors: found.map((data) => ({ data: data!, dimension: data!.length / rows })),
    texts: texts.map((text) => (text === undefined ? undefined : read[next++]!)),
  }
}

function put(
  into: Float32Array,
  numbers: Float32Array,
  { row, rows, table }: { row: number; rows: number; table: string },
): void {
  const dimension = into.length / rows
  if (numbers.length !== dimension || dimension === 0) {
    throw new DataError(
      `${at(table, row)} has a vector of ${numbers.length} numbers, the rows before it ${dimension}. All must be of one length.`,
    )
  }
  for (let i = 0; i < numbers.length; i++) {
    if (Number.isFinite(numbers[i])) continue
    throw new DataError(
      `${at(table, row)} has a vector that holds ${Number.isNaN(numbers[i]) ? 'NaN, or nothing' : numbers[i]}; expected finite numbers. Leave the row out, or mend it.`,
    )
  }
  into.set(numbers, row * dimension)
}
