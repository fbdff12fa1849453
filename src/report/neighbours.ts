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

/** How deep the nearest of the same class is looked for. */
export const DEPTH = 64
/** How many neighbours a row shows. */
const SHOWN = 8

/** Which rows ask, and which answer: all of them, unless the data says which. */
export interface Roles {
  readonly queries: readonly number[]
  readonly gallery: readonly number[]
  /** Whether each row is both. */
  readonly own: boolean
}

export function rolesOf({ gallery: flags, length }: Source): Roles {
  const all = Array.from({ length }, (_, row) => row)
  if (!flags) return { queries: all, gallery: all, own: true }
  return { queries: all.filter((row) => flags[row] === 0), gallery: all.filter((row) => flags[row] === 1), own: false }
}

/**
 * The queries: all that ask and whose class has another member to be found.
 *
 * @param embeddings of `roles.queries`, and of `roles.gallery`.
 */
export async function neighbours(
  model: Model,
  { labels, groups }: Source,
  roles: Roles,
  embeddings: { readonly query: Tensor; readonly gallery: Tensor },
): Promise<Query[]> {
  const groupOf = (row: number) => groups?.[row] ?? -1
  const related = (a: number, b: number) => a === b || (groupOf(a) !== -1 && groupOf(a) === groupOf(b))
  const members = countBy(roles.gallery.map((row) => labels[row]!))
  const together = countBy(roles.gallery.map((row) => `${labels[row]} ${groupOf(row)}`))
  const passedOver = (row: number) =>
    groupOf(row) === -1 ? Number(roles.own) : (together.get(`${labels[row]} ${groupOf(row)}`) ?? 0)
  const relevant = (row: number) => (members.get(labels[row]!) ?? 0) - passedOver(row)
  const found = await nearest(embeddings.query, embeddings.gallery, model.metric, { k: DEPTH + 1 })
  const queries: Query[] = []
  for (const [place, row] of roles.queries.entries()) {
    const label = labels[row]!
    if (label === -1 || relevant(row) === 0) continue
    const others = Array.from({ length: found.k }, (_, i): Found => {
      const at = place * found.k + i
      const index = roles.gallery[found.indices[at]!]!
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

function countBy<Key>(keys: readonly Key[]): Map<Key, number> {
  const counts = new Map<Key, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}
