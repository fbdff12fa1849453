/** What LanceDB finds near a query: candidates in its own order, whose distances the metric gives. */
import { input } from '../../graph/value.ts'
import type { Metric } from '../../metrics/metric.ts'
import type { ComputeOptions } from '../../runtime/session.ts'
import { powerOfTwo } from '../matrix.ts'
import { programs } from '../programs.ts'
import type { Entry } from '../store/entry.ts'
import type { ApproximateSettings } from './head.ts'
import { type Lance, told } from './package.ts'
import { entriesOf, idsOf, vectorsOf } from './rows.ts'

export interface Candidate {
  readonly id: number
  readonly vector: Float32Array
  readonly entry: Entry
  readonly distance: number
}

export interface CandidatesOptions {
  readonly k: number
  /** What is searched, as SQL; all if left out. */
  readonly where?: string | undefined
  /** How an approximation is used; every vector is looked at if left out. */
  readonly approximate?: ApproximateSettings | undefined
}

export interface CandidateSearch {
  /** The k nearest of one query, nearest first; of equal distances the earlier item. */
  nearest(query: Float32Array, options: CandidatesOptions): Promise<Candidate[]>
  release(): Promise<void>
}

/** Distances that rounding may put in another order, as a share of them. */
const ROUNDING = 1e-5
/** Candidates beyond twice as many as are asked for. */
const SPARE = 16
/** So many for each that is asked for are compared by their own vectors, not by what an index keeps of them. */
const REFINED = 4

/** How LanceDB calls the order of a metric. */
export const orderOf = ({ search }: Metric): 'dot' | 'l2' | undefined =>
  search && (search.space === 'l2' ? 'l2' : 'dot')

export function candidateSearch(
  path: string,
  table: Lance.Table,
  metric: Metric,
  dimension: number,
  compute: ComputeOptions,
): CandidateSearch {
  const pairs = programs((rows: number) => {
    const query = input('query', 'float32', [1, dimension]).expand([rows, dimension])
    return { distances: metric.pairwise(query, input('others', 'float32', [rows, dimension])) }
  }, compute)

  async function find(query: Float32Array, count: number, { where, approximate }: CandidatesOptions) {
    let asked = table
      .query()
      .nearestTo(query)
      .column('vector')
      .distanceType(orderOf(metric)!)
      .limit(count)
      .select(['id', 'vector', 'entry', '_distance'])
    if (where !== undefined) asked = asked.where(where)
    asked = approximate ? asked.nprobes(approximate.probes).refineFactor(REFINED) : asked.bypassVectorIndex()
    const found: Omit<Candidate, 'distance'>[] = []
    for await (const batch of await told(path, async () => asked)) {
      const [ids, vectors, entries] = [idsOf(batch), vectorsOf(batch, dimension), [...entriesOf(batch)]]
      for (let i = 0; i < batch.numRows; i++) {
        found.push({ id: ids[i]!, vector: vectors.subarray(i * dimension, (i + 1) * dimension), entry: entries[i]! })
      }
    }
    return found
  }

  async function compared(query: Float32Array, found: readonly Omit<Candidate, 'distance'>[]): Promise<Candidate[]> {
    if (found.length === 0) return []
    const rows = powerOfTwo(found.length)
    const others = new Float32Array(rows * dimension)
    for (const [i, { vector }] of found.entries()) others.set(vector, i * dimension)
    const { distances } = await pairs.run([rows], {
      query: { dtype: 'float32', shape: [1, dimension], data: query },
      others: { dtype: 'float32', shape: [rows, dimension], data: others },
    })
    const [least, most] = metric.range
    return found
      .map((each, i) => ({ ...each, distance: Math.min(Math.max(distances!.data[i] as number, least), most) }))
      .sort((a, b) => a.distance - b.distance || a.id - b.id)
  }

  return {
    async nearest(query, options) {
      const { k, approximate } = options
      if (approximate) {
        const found = await compared(query, await find(query, 2 * k + SPARE, options))
        // Where few meet a condition, the parts that were looked into may hold none of them.
        if (found.length >= k) return found.slice(0, k)
      }
      for (let count = 2 * k + SPARE; ; count *= 4) {
        const candidates = await compared(query, await find(query, count, { ...options, approximate: undefined }))
        const [last, farthest] = [candidates[k - 1]?.distance, candidates.at(-1)?.distance]
        const isAll = candidates.length < count || last === undefined
        // Another, that LanceDB put behind them, may be as near as the last that is asked for.
        if (isAll || farthest! > last + ROUNDING * (1 + Math.abs(last))) {
          return candidates.slice(0, k)
        }
      }
    },
    release: () => pairs.release(),
  }
}
