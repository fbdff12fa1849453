/** What a table says of its rows besides what examples are made of: read again when it is asked for, never held. */
import type { Metadata } from '../source.ts'
import { type Column, type Columns, isNumber } from './columns.ts'
import { openDatabase, quoted } from './duckdb.ts'

/** The columns that no part of an example is made of; undefined where there are none. */
export function metadataOf(
  found: readonly Column[],
  { label, path, vectors, item, box }: Columns,
  relation: string,
): Metadata | undefined {
  const used = new Set([label, path, item, ...(vectors ?? []), ...(box ?? [])].map((column) => column?.name))
  const columns = found.filter(({ name }) => !used.has(name))
  if (columns.length === 0) return undefined
  return {
    columns: columns.map(({ name }) => name),
    async *rows() {
      const database = await openDatabase()
      try {
        const selected = columns.map((column) => `${quoted(column.name)}::${typeOf(column)}`).join(', ')
        for await (const part of database.read(`SELECT ${selected} FROM (${relation})`)) {
          for (let row = 0; row < part.rows; row++) {
            yield Object.fromEntries(columns.map(({ name }, i) => [name, part.value(i, row)]))
          }
        }
      } finally {
        database.close()
      }
    },
  }
}

function typeOf(column: Column): string {
  if (column.type === 'BOOLEAN') return 'BOOLEAN'
  return isNumber(column) ? 'DOUBLE' : 'VARCHAR'
}
