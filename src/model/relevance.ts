/** A table of what is relevant, by the names of items, as rows of the sources that hold them. */
import { join } from 'node:path'
import type { Source } from '../data/index.ts'
import { DataError } from '../errors.ts'
import type { Relevance } from '../evaluation/index.ts'

/** One row of the table. */
export interface GradedItem {
  readonly query: string
  readonly item: string
  /** How relevant the item is to the query: 0 is not, and more is more. */
  readonly grade: number
}

/** A source, and what it was opened from: names may be relative to a folder. */
type Opened = readonly [source: Source, from: unknown]

/** @throws DataError if a name is that of no item. */
export function relevanceOf(table: readonly GradedItem[], queries: Opened, gallery: Opened): Relevance {
  const [queryRow, itemRow] = [finder(queries, 'query'), finder(gallery, 'item')]
  const relevance = new Map<number, Map<number, number>>()
  for (const { query, item, grade } of table) {
    const row = queryRow(query)
    const grades = relevance.get(row) ?? new Map<number, number>()
    relevance.set(row, grades)
    grades.set(itemRow(item), grade)
  }
  return relevance
}

function finder([source, from]: Opened, what: string): (name: string) => number {
  const rows = new Map(Array.from({ length: source.length }, (_, row) => [source.item(row), row]))
  return (name) => {
    const row = rows.get(name) ?? (typeof from === 'string' ? rows.get(join(from, name)) : undefined)
    if (row !== undefined) return row
    throw new DataError(
      `The relevance names the ${what} ${name}, which is not among the ${source.length} there are, such as ${source.item(0)}. Name items so, or by their path in the folder.`,
    )
  }
}
