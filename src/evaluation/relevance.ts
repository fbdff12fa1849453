/** What a query should find: the others of its class, or what a table says. */
import { UsageError } from '../errors.ts'
import { type Comparison, sameGroup } from './embedded.ts'

/** For each query's row, the rows of the gallery that are relevant, with a grade: more is more relevant, 0 is not. */
export type Relevance = ReadonlyMap<number, ReadonlyMap<number, number>>

/** The rows of the gallery that are relevant to a query, and their grades where they have any. */
export interface Relevant {
  readonly rows: Int32Array
  gradeOf?: ((row: number) => number) | undefined
}

/** What is relevant to each query: neither itself nor anything of its group. */
export function relevantOf(comparison: Comparison, relevance: Relevance | undefined): (query: number) => Relevant {
  const { queries, gallery, own } = comparison
  const compared = (query: number) => (row: number) => !(own && row === query) && !sameGroup(comparison, query, row)
  if (relevance) {
    checkRelevance(relevance, queries.labels.length, gallery.labels.length)
    return (query) => {
      const grades = relevance.get(query)
      const rows = [...(grades ?? [])].flatMap(([row, grade]) => (grade > 0 ? [row] : []))
      return { rows: Int32Array.from(rows.filter(compared(query))), gradeOf: (row) => grades!.get(row)! }
    }
  }
  const members = new Map<string | number, number[]>()
  gallery.labels.forEach((label, row) => {
    if (label === null) return
    const rows = members.get(label)
    if (rows) rows.push(row)
    else members.set(label, [row])
  })
  return (query) => {
    const label = queries.labels[query]!
    return { rows: Int32Array.from((label === null ? undefined : members.get(label)) ?? []).filter(compared(query)) }
  }
}

function checkRelevance(relevance: Relevance, queries: number, items: number): void {
  const inside = (row: number, count: number) => Number.isInteger(row) && row >= 0 && row < count
  for (const [query, grades] of relevance) {
    if (!inside(query, queries)) {
      throw new UsageError(`The relevance is of query ${query}; the queries are 0 to ${queries - 1}.`)
    }
    for (const [item, grade] of grades) {
      if (!inside(item, items))
        throw new UsageError(`The relevance is of item ${item}; the items are 0 to ${items - 1}.`)
      if (!(Number.isFinite(grade) && grade >= 0)) {
        throw new UsageError(
          `The grade of item ${item} for query ${query} is ${grade}; expected a number of at least 0.`,
        )
      }
    }
  }
}
