/** Which items of a gallery are a query itself, so that it is not found as its own neighbour. */
import { realpath } from 'node:fs/promises'
import { itemsOf, type Source } from '../data/index.ts'

/** For each query the rows of the gallery that are it: files that lie in the same place; vectors of the same name and the same numbers. */
export async function itselfIn(queries: Source, gallery: Source): Promise<number[][]> {
  const areFiles = queries.input.kind === 'image'
  const [asked, found] = await Promise.all([queries, gallery].map((source) => namesOf(source, areFiles)))
  const rows = new Map<string, number[]>()
  const wanted = new Set(asked)
  for (const [row, name] of found!.entries()) {
    if (wanted.has(name)) rows.set(name, [...(rows.get(name) ?? []), row])
  }
  const candidates = asked!.map((name) => rows.get(name) ?? [])
  if (areFiles) return candidates
  return Promise.all(candidates.map((each, query) => sameNumbers(queries, query, gallery, each)))
}

/** Where the files really lie; what is not a file stands for itself. */
async function namesOf(source: Source, areFiles: boolean): Promise<string[]> {
  const items = itemsOf(source)
  return areFiles ? Promise.all(items.map((item) => realpath(item).catch(() => item))) : items
}

/** Rows of two sources may have one number for a name. */
async function sameNumbers(queries: Source, query: number, gallery: Source, rows: number[]): Promise<number[]> {
  if (rows.length === 0) return rows
  const { data } = await queries.read([query])
  const others = await gallery.read(rows)
  return rows.filter((_, i) => data.every((x, j) => x === others.data[i * data.length + j]))
}
