/** What an index says of itself: `index.json`, by whose replacement every change takes place. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DataError } from '../../errors.ts'
import type { Part } from './part.ts'

export const HEAD = 'index.json'
const FORMAT = 1

export interface Head {
  readonly format: typeof FORMAT
  /** The fingerprint of what embedded the items. */
  readonly model: string
  readonly metric: string
  readonly dimension: number
  /** The names of the columns of metadata that any item has. */
  readonly columns: readonly string[]
  readonly parts: readonly Part[]
  /** The number of the next part. */
  readonly next: number
}

export const newHead = (of: Pick<Head, 'model' | 'metric' | 'dimension'>): Head => ({
  format: FORMAT,
  ...of,
  columns: [],
  parts: [],
  next: 1,
})

/** @throws DataError if there is no index, or one of a newer format, or a damaged one. */
export async function readHead(folder: string): Promise<Head> {
  const found = await stat(folder).catch(() => undefined)
  if (!found) throw new DataError(`There is no index at ${folder}. Make one: isometry index MODEL DATA --out ${folder}`)
  const text = await readFile(join(folder, HEAD), 'utf8').catch(() => {
    throw new DataError(`${folder} is not an index: it has no readable ${HEAD}. Name what \`isometry index\` wrote.`)
  })
  let head: Head
  try {
    head = JSON.parse(text) as Head
  } catch (error) {
    throw damaged(folder, (error as Error).message)
  }
  if (typeof head?.format === 'number' && head.format > FORMAT) {
    throw new DataError(
      `${folder} is an index of format ${head.format}, newer than this program's ${FORMAT}. Update isometry.`,
    )
  }
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
  const isHead =
    head?.format === FORMAT &&
    typeof head.model === 'string' &&
    typeof head.metric === 'string' &&
    isCount(head.dimension) &&
    isCount(head.next) &&
    Array.isArray(head.columns) &&
    Array.isArray(head.parts) &&
    head.parts.every((part) => /^part-\d+$/.test(part?.name) && isCount(part.rows))
  if (!isHead) throw damaged(folder, 'fields are missing or of another kind')
  return head
}

function damaged(folder: string, what: string): DataError {
  return new DataError(`The index ${folder} is damaged: ${HEAD}: ${what}. Make it again with \`isometry index\`.`)
}
