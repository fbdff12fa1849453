/** At which places the relevant items come for each query: by searching where few are looked for, else by every distance. */
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import { openSearcher } from '../search/index.ts'
import { pick } from '../search/matrix.ts'
import { isFast } from '../search/searcher.ts'
import { openDistances } from './distances.ts'
import { type Comparison, sameGroup } from './embedded.ts'
import { rank } from './ranks.ts'
import type { Relevant } from './relevance.ts'

export interface Ranking {
  /** Ranks from 0, nearest first. What is not among those looked at has the rank `looked`. */
  readonly ranks: Int32Array
  /** The grades of the relevant items in the same order; undefined where all are alike. */
  readonly gains: Float64Array | undefined
}

/** So many queries are searched for at once. */
const QUERIES = 4096

/**
 * The rankings of some rows of the queries, in their order.
 *
 * @param looked how many of the nearest are looked at.
 */
export async function* rankings(
  comparison: Comparison,
  rows: readonly number[],
  relevant: (query: number) => Relevant,
  looked: number,
  metric: Metric,
  compute: ComputeOptions,
): AsyncGenerator<Ranking> {
  const { gallery, own } = comparison
  // So many of the nearest may be items that the query is not compared with.
  const k = looked + largestGroup(comparison) + (own ? 1 : 0)
  const by = isFast(gallery.embeddings, metric, k) ? bySearch : byDistances
  yield* by(comparison, rows, relevant, { looked, k, metric, compute })
}

interface How {
  readonly looked: number
  readonly k: number
  readonly metric: Metric
  readonly compute: ComputeOptions
}

async function* bySearch(
  comparison: Comparison,
  rows: readonly number[],
  relevant: (query: number) => Relevant,
  { looked, k, metric, compute }: How,
): AsyncGenerator<Ranking> {
  const { queries, gallery, own } = comparison
  const searcher = openSearcher(gallery.embeddings, metric, { k, ...compute })
  try {
    for (let start = 0; start < rows.length; start += QUERIES) {
      const some = rows.slice(start, start + QUERIES)
      const found = await searcher.nearest(pick(queries.embeddings, some))
      for (const [i, query] of some.entries()) {
        const nearest = found.indices.subarray(i * found.k, (i + 1) * found.k)
        const compared = nearest.filter((row) => !(own && row === query) && !sameGroup(comparison, query, row))
        yield placesIn(compared, relevant(query), looked)
      }
    }
  } finally {
    await searcher.release()
  }
}

function placesIn(nearest: Int32Array, { rows, gradeOf }: Relevant, looked: number): Ranking {
  const left = new Set(rows)
  const order: number[] = []
  const ranks = new Int32Array(rows.length).fill(looked)
  for (const [place, row] of nearest.entries()) {
    if (place === looked || left.size === 0) break
    if (left.delete(row)) ranks[order.push(row) - 1] = place
  }
  return { ranks, gains: gradeOf && Float64Array.from([...order, ...left], gradeOf) }
}

async function* byDistances(
  comparison: Comparison,
  rows: readonly number[],
  relevant: (query: number) => Relevant,
  { metric, compute }: How,
): AsyncGenerator<Ranking> {
  const { queries, gallery, own } = comparison
  const size = gallery.labels.length
  const grouped = queries.groups !== undefined && gallery.groups !== undefined
  const distances = openDistances(metric, compute)
  try {
    for await (const block of distances.blocks(pick(queries.embeddings, rows), gallery.embeddings)) {
      for (let i = 0; i < block.rows; i++) {
        const query = rows[block.start + i]!
        const row = block.distances.subarray(i * size, (i + 1) * size)
        if (own) row[query] = Number.POSITIVE_INFINITY
        for (let item = 0; grouped && item < size; item++) {
          if (sameGroup(comparison, query, item)) row[item] = Number.POSITIVE_INFINITY
        }
        const { rows: found, gradeOf } = relevant(query)
        yield { ranks: rank(row, found), gains: gradeOf && Float64Array.from(found, gradeOf) }
      }
    }
  } finally {
    await distances.release()
  }
}

/** The most items of the gallery that a query can share its group with. */
function largestGroup({ queries, gallery }: Comparison): number {
  if (!queries.groups || !gallery.groups) return 0
  const counts = new Map<number, number>()
  for (let row = 0; row < gallery.labels.length; row++) {
    const group = gallery.groups[row]!
    if (group >= 0) counts.set(group, (counts.get(group) ?? 0) + 1)
  }
  return [...counts.values()].reduce((most, count) => Math.max(most, count), 0)
}
