/** A small table of query, item and grade. */
import { readFile } from 'node:fs/promises'
import { DataError } from '../errors.ts'
import type { GradedItem } from '../model/index.ts'

/**
 * Reads FILE.csv, FILE.tsv (with or without a line of names) or FILE.jsonl.
 *
 * @throws DataError if it cannot be read, is empty, or a line is not query, item and grade.
 */
export async function readRelevance(file: string): Promise<GradedItem[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new DataError(`${file} cannot be read: ${error.message}. Name a table of query, item, grade.`, {
      cause: error,
    })
  })
  const lines = [...text.split(/\r?\n/).entries()].filter(([, line]) => line.trim() !== '')
  const isHead = /^query[,\t]item[,\t]grade$/.test(lines[0]?.[1] ?? '')
  const rows = lines.slice(isHead ? 1 : 0).map(([number, line]) => {
    const row = file.endsWith('.jsonl') ? fromJson(line) : fromFields(line.split(file.endsWith('.tsv') ? '\t' : ','))
    if (row) return row
    throw new DataError(
      `${file}, line ${number + 1}: ${line}; expected a query, an item and a grade of at least 0. Names with separators in them go into JSON lines.`,
    )
  })
  if (rows.length > 0) return rows
  throw new DataError(`${file} is empty; expected lines of query, item, grade.`)
}

function fromFields([query, item, grade, ...more]: string[]): GradedItem | undefined {
  return more.length > 0 || !grade?.trim() ? undefined : checked({ query, item, grade: Number(grade) })
}

function fromJson(line: string): GradedItem | undefined {
  try {
    return checked(JSON.parse(line))
  } catch {
    return undefined
  }
}

function checked(row: { query?: unknown; item?: unknown; grade?: unknown } | null): GradedItem | undefined {
  const { query, item, grade } = row ?? {}
  if (typeof query !== 'string' || typeof item !== 'string' || !query || !item) return undefined
  return typeof grade === 'number' && grade >= 0 && Number.isFinite(grade) ? { query, item, grade } : undefined
}
