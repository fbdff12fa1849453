/** Indexes that do not look at every vector, and how much of what is nearest they find. */
import { DataError, UsageError } from '../../errors.ts'
import { random } from '../../random.ts'
import { candidateSearch, orderOf } from './candidates.ts'
import type { Measuring } from './change.ts'
import type { ApproximateSettings, LanceHead } from './head.ts'
import { idsIn } from './literal.ts'
import { type Lance, loadPackages, told } from './package.ts'
import { idsOf, vectorsOf } from './rows.ts'

/** What is asked for; what is left out follows from the number of items. */
export interface Wanted extends Partial<Omit<ApproximateSettings, 'kind'>> {
  readonly kind: ApproximateSettings['kind']
}

/** Fewer vectors are searched exactly in no time, and are too few to learn from. */
const LEAST = 256
const AT = 10
/** Over so many items recall is measured. */
const QUERIES = 100

/** @throws UsageError if no index orders as the metric does. */
export function checkApproximate({ search, name }: Measuring['metric']): void {
  if (search) return
  throw new UsageError(
    `No index orders as the metric ${name} does, so it cannot be searched approximately. Leave --approximate out: it is searched exactly.`,
  )
}

/** Builds the index. @throws DataError if there are too few items. */
export async function buildApproximate(
  path: string,
  table: Lance.Table,
  head: LanceHead,
  { kind, ...wanted }: Wanted,
  { metric }: Measuring,
): Promise<LanceHead> {
  const items = await told(path, () => table.countRows())
  if (items < LEAST) {
    throw new DataError(
      `An approximate index needs at least ${LEAST} items, found ${items}. Leave --approximate out: so few are searched exactly at once.`,
    )
  }
  // About √n parts, of which a tenth is looked into.
  const partitions = Math.min(wanted.partitions ?? Math.round(Math.sqrt(items)), items)
  const probes = Math.min(wanted.probes ?? Math.max(4, Math.ceil(partitions / 10)), partitions)
  const { Index } = loadPackages().lance
  const options = { distanceType: orderOf(metric)!, numPartitions: partitions }
  const config = {
    'ivf-flat': () => Index.ivfFlat(options),
    'ivf-pq': () => Index.ivfPq({ ...options, numSubVectors: subVectors(head.dimension) }),
    'hnsw-sq': () => Index.hnswSq(options),
  }[kind]()
  await told(path, () => table.createIndex('vector', { config, replace: true }))
  return { ...head, approximate: { kind, partitions, probes } }
}

/** Parts of a vector that are kept as one byte each: four numbers, where they come out even. */
function subVectors(dimension: number): number {
  return dimension / [4, 3, 2, 1].find((each) => dimension % each === 0)!
}

/** The head with the recall of the index as it is; as it was where there is none. */
export async function withRecall(
  path: string,
  table: Lance.Table,
  head: LanceHead,
  { metric, compute }: Measuring,
): Promise<LanceHead> {
  const { approximate, dimension } = head
  if (!approximate) return head
  const search = candidateSearch(path, table, metric, dimension, compute)
  try {
    let [common, all, queries] = [0, 0, 0]
    for (const [id, vector] of await sample(path, table, dimension)) {
      const others = async (how?: ApproximateSettings) => {
        const found = await search.nearest(vector, { k: AT + 1, approximate: how })
        return found.filter((each) => each.id !== id).slice(0, AT)
      }
      const [exact, found] = [await others(), await others(approximate)]
      const there = new Set(found.map((each) => each.id))
      common += exact.filter((each) => there.has(each.id)).length
      all += exact.length
      queries++
    }
    return {
      ...head,
      approximate: { ...approximate, recall: { at: AT, share: all === 0 ? 1 : common / all, queries } },
    }
  } finally {
    await search.release()
  }
}

/** Some items, drawn by chance, and their vectors. */
async function sample(path: string, table: Lance.Table, dimension: number): Promise<[number, Float32Array][]> {
  const { integer } = random(0, 'recall')
  const drawn: number[] = []
  let seen = 0
  for await (const batch of await told(path, async () => table.query().select(['id']))) {
    for (const id of idsOf(batch)) {
      const place = seen++ < QUERIES ? drawn.length : integer(seen)
      if (place < QUERIES) drawn[place] = id
    }
  }
  const found: [number, Float32Array][] = []
  if (drawn.length === 0) return found
  for await (const batch of await told(path, async () => table.query().where(idsIn(drawn)).select(['id', 'vector']))) {
    const [ids, vectors] = [idsOf(batch), vectorsOf(batch, dimension)]
    for (const [i, id] of ids.entries()) found.push([id, vectors.slice(i * dimension, (i + 1) * dimension)])
  }
  return found
}
