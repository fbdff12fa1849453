/** What each item's nearest neighbours are, and which of them are of its class. */
import type { Source } from '../data/index.ts'
import type { Model } from '../model/index.ts'
import { nearest } from '../search/index.ts'
import type { Tensor } from '../tensor.ts'

export interface Found {
  readonly row: number
  readonly distance: number
  /** Whether it is of the query's class. */
  readonly right: boolean
}

export interface Query {
  readonly row: number
  /** Nearest first: as many as are shown. */
  readonly matches: readonly Found[]
  /** The place of the nearest item of the same class, from 1; `DEPTH` + 1 if it is none of those. */
  readonly firstRight: number
}

export interface ClassPrecision {
  readonly label: number
  readonly queries: number
  /** The share of its items whose nearest neighbour is of the class. */
  readonly precision: number
}

/** How deep the nearest of the same class is looked for. */
export const DEPTH = 64
/** How many neighbours a row shows. */
const SHOWN = 8

/** The queries: all items whose class has another member. */
export async function neighbours(
  model: Model,
  { labels, groups, length }: Source,
  embeddings: { readonly query: Tensor; readonly gallery: Tensor },
): Promise<Query[]> {
  const members = countBy(labels)
  const found = await nearest(embeddings.query, embeddings.gallery, model.metric, { k: DEPTH + 1 })
  const related = (a: number, b: number) =>
    a === b || (groups !== undefined && groups[a] !== -1 && groups[a] === groups[b])
  const queries: Query[] = []
  for (let row = 0; row < length; row++) {
    const label = labels[row]!
    if (label === -1 || members.get(label)! < 2) continue
    const others = Array.from({ length: found.k }, (_, i): Found => {
      const at = row * found.k + i
      const index = found.indices[at]!
      return { row: index, distance: found.distances[at]!, right: labels[index] === label }
    }).filter((each) => !related(row, each.row))
    const first = others.findIndex(({ right }) => right)
    queries.push({ row, matches: others.slice(0, SHOWN), firstRight: first < 0 ? DEPTH + 1 : first + 1 })
  }
  return queries
}

/** Those whose nearest neighbour is wrong: first where the right one is farthest down, then where the wrong one is nearest. */
export function worstFirst(queries: readonly Query[]): Query[] {
  const distance = ({ matches }: Query) => matches[0]!.distance
  return queries
    .filter(({ matches, firstRight }) => matches.length > 0 && firstRight > 1)
    .sort((a, b) => b.firstRight - a.firstRight || distance(a) - distance(b) || a.row - b.row)
}

/** Of each class, the least precise first. */
export function precisionByClass(queries: readonly Query[], labels: Int32Array): ClassPrecision[] {
  const counts = countBy(queries.map(({ row }) => labels[row]!))
  const right = countBy(queries.filter(({ firstRight }) => firstRight === 1).map(({ row }) => labels[row]!))
  return [...counts]
    .map(([label, count]) => ({ label, queries: count, precision: (right.get(label) ?? 0) / count }))
    .sort((a, b) => a.precision - b.precision || a.label - b.label)
}

function countBy(labels: ArrayLike<number>): Map<number, number> {
  const counts = new Map<number, number>()
  for (const label of Array.from(labels)) counts.set(label, (counts.get(label) ?? 0) + 1)
  return counts
}
