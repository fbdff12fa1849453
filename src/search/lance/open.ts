/** An index in LanceDB: searched in its order where it has the metric's, and else by looking at every vector, part by part. */
import { UsageError } from '../../errors.ts'
import type { Metric } from '../../metrics/metric.ts'
import type { ComputeOptions } from '../../runtime/session.ts'
import type { Tensor } from '../../tensor.ts'
import { parseCondition } from '../condition.ts'
import { checkMatrix } from '../matrix.ts'
import { openSearcher } from '../searcher.ts'
import { type Entry, ownColumns } from '../store/entry.ts'
import type { Found, OpenIndex } from '../store/exact.ts'
import { type Candidate, candidateSearch, orderOf } from './candidates.ts'
import { openItems } from './head.ts'
import { idsIn } from './literal.ts'
import { told } from './package.ts'
import { entriesOf, idsOf, numberOf, vectorsOf } from './rows.ts'
import { sqlOf } from './sql.ts'

/** Numbers of vectors that are compared at once where all are looked at. */
const AT_ONCE = 2 ** 24

/** @throws DataError if there is no index, or it is damaged, or LanceDB is not installed. */
export async function openLance(
  path: string,
  metric: Metric,
  compute: ComputeOptions,
  warn: (message: string) => void,
): Promise<OpenIndex> {
  const { db, head, items: table } = await openItems(path)
  // Others may write meanwhile.
  await told(path, () => table.checkout(head.version))
  const { dimension, approximate } = head
  const size = await told(path, () => table.countRows())
  const columns = [...ownColumns.filter((name) => !head.columns.includes(name)), ...head.columns]
  const search = candidateSearch(path, table, metric, dimension, compute)
  const isOrdered = orderOf(metric) !== undefined
  if (!isOrdered) warn(`no index orders as the metric ${metric.name} does: every vector is looked at`)

  async function read(condition: string): Promise<Map<number, Omit<Candidate, 'distance'>>> {
    const found = new Map<number, Omit<Candidate, 'distance'>>()
    const query = table.query().where(condition).select(['id', 'vector', 'entry'])
    for await (const batch of await told(path, async () => query)) {
      const [ids, vectors, entries] = [idsOf(batch), vectorsOf(batch, dimension), [...entriesOf(batch)]]
      for (const [i, id] of ids.entries()) {
        found.set(id, { id, vector: vectors.slice(i * dimension, (i + 1) * dimension), entry: entries[i]! })
      }
    }
    return found
  }

  /** Every vector is compared, and the best of each part are kept. */
  async function throughAll(queries: Tensor, k: number, where: string | undefined): Promise<Found[][]> {
    const best = Array.from({ length: queries.shape[0]! }, (): [id: number, distance: number][] => [])
    const compare = async (ids: readonly number[], data: Float32Array) => {
      const gallery = { dtype: 'float32', shape: [ids.length, dimension], data } as const
      const searcher = openSearcher(gallery, metric, { k, ...compute })
      const found = await searcher.nearest(queries).finally(() => searcher.release())
      for (const [query, nearest] of best.entries()) {
        for (let i = query * found.k; i < (query + 1) * found.k; i++) {
          nearest.push([ids[found.indices[i]!]!, found.distances[i]!])
        }
        nearest.sort(([a, x], [b, y]) => x - y || a - b).splice(k)
      }
    }
    let query = table.query().select(['id', 'vector'])
    if (where !== undefined) query = query.where(where)
    let ids: number[] = []
    let parts: Float32Array[] = []
    const flush = async () => {
      if (ids.length === 0) return
      const data = new Float32Array(ids.length * dimension)
      let at = 0
      for (const part of parts) {
        data.set(part, at)
        at += part.length
      }
      await compare(ids, data)
      ids = []
      parts = []
    }
    for await (const batch of await told(path, async () => query)) {
      ids.push(...idsOf(batch))
      parts.push(vectorsOf(batch, dimension))
      if (ids.length * dimension >= AT_ONCE) await flush()
    }
    await flush()
    const wanted = [...new Set(best.flatMap((nearest) => nearest.map(([id]) => id)))]
    const known = wanted.length > 0 ? await read(idsIn(wanted)) : new Map<number, Candidate>()
    return best.map((nearest) => nearest.map(([id, distance]) => foundOf({ ...known.get(id)!, distance })))
  }

  return {
    size,
    columns,
    async nearest(queries, { k, where }) {
      const { matrix } = checkMatrix(queries, 'queries')
      const condition =
        where === undefined
          ? undefined
          : sqlOf(parseCondition(where, columns), (column) => numberOf(column, head.columns))
      if (!isOrdered) return throughAll(matrix, k, condition)
      const found: Found[][] = []
      for (let row = 0; row < matrix.shape[0]; row++) {
        const query = matrix.data.slice(row * dimension, (row + 1) * dimension)
        found.push((await search.nearest(query, { k, where: condition, approximate })).map(foundOf))
      }
      return found
    },
    async entry(row): Promise<Entry> {
      const found = Number.isSafeInteger(row) && row >= 0 ? (await read(idsIn([row]))).get(row) : undefined
      if (found) return found.entry
      throw new UsageError(`There is no row ${row} in ${path}.`)
    },
    async release() {
      await search.release()
      db.close()
    },
  }
}

function foundOf({ id, ...rest }: Candidate): Found {
  return { row: id, ...rest }
}
