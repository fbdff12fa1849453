/** How well items of one class are each other's nearest neighbours. */
import { DataError } from '../errors.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import { openSearcher } from '../search/index.ts'
import type { Tensor } from '../tensor.ts'
import { measure, type QueryMeasures, RECALL_AT } from './measures.ts'

/** Embeddings [n, d] float32 with the class of each; null has none. */
export interface LabelledEmbeddings {
  readonly embeddings: Tensor
  readonly labels: readonly (string | number | null)[]
}

/** Means over the queries, each from 0 to 1. */
export interface Evaluation {
  /** The metric that the neighbours are nearest in. */
  readonly metric: string
  /** How many embeddings were given to be evaluated. */
  readonly items: number
  /** How many of them were queries: those whose class has another member to be found. */
  readonly queries: number
  /** The share of queries whose nearest neighbour is of their class. */
  readonly precisionAt1: number
  /** The share of queries with at least one of their class among the K nearest. */
  readonly recallAtK: { readonly '1': number; readonly '2': number; readonly '4': number; readonly '8': number }
  readonly meanAveragePrecisionAtR: number
  readonly rPrecision: number
}

export interface EvaluateOptions extends ComputeOptions {
  /** What the queries are compared with; every other item if left out. */
  readonly gallery?: LabelledEmbeddings | undefined
  /** Whether row i of the gallery is query i itself, differently embedded, and is not compared with it; false if left out. */
  readonly own?: boolean | undefined
}

/** Queries are searched in blocks of about so many neighbours, which bounds the memory for large classes. */
const NEIGHBOURS = 2 ** 22

/**
 * Compares each query with every other item, or with every item of the gallery where one is given. Items without a class
 * are never queries, but can be found. Equal distances rank by row, so a collapsed embedding scores by chance.
 *
 * MAP@R and R-precision as in Musgrave, Belongie, Lim, "A Metric Learning Reality Check", 2020, section 3.2.
 *
 * @throws DataError if no query has another member of its class to be found, or embeddings are not finite.
 */
export async function evaluate(
  { embeddings, labels }: LabelledEmbeddings,
  metric: Metric,
  { gallery, own = gallery === undefined, ...compute }: EvaluateOptions = {},
): Promise<Evaluation> {
  const target = gallery ?? { embeddings, labels }
  const members = countMembers(target.labels)
  const relevant = (row: number) => (members.get(labels[row]!) ?? 0) - (own ? 1 : 0)
  const queries = labels.flatMap((label, row) => (label !== null && relevant(row) > 0 ? [row] : []))
  if (queries.length === 0) {
    throw new DataError(
      `None of ${labels.length} items can be evaluated: a query needs another member of its class${own ? '' : ' in the gallery'}. Give at least two images of a class, in a folder of their own.`,
    )
  }

  const deepest = Math.max(
    ...RECALL_AT,
    queries.reduce((most, row) => Math.max(most, relevant(row)), 0),
  )
  const k = deepest + (own ? 1 : 0)
  const searcher = openSearcher(target.embeddings, metric, { k, ...compute })
  const measures: QueryMeasures[] = []
  try {
    const rows = Math.max(1, Math.floor(NEIGHBOURS / k))
    for (let start = 0; start < queries.length; start += rows) {
      const block = queries.slice(start, start + rows)
      const found = await searcher.nearest(pick(embeddings, block))
      block.forEach((row, i) => {
        const neighbours = found.indices.subarray(i * found.k, (i + 1) * found.k)
        const others = own ? neighbours.filter((index) => index !== row) : neighbours
        const hits = Array.from(others.subarray(0, deepest), (index) => target.labels[index] === labels[row])
        measures.push(measure(hits, relevant(row)))
      })
    }
  } finally {
    await searcher.release()
  }

  const mean = (of: (each: QueryMeasures) => number) =>
    measures.reduce((sum, each) => sum + of(each), 0) / measures.length
  const [one, two, four, eight] = RECALL_AT.map((_, i) => mean((each) => each.recallAt[i]!)) as [
    number,
    number,
    number,
    number,
  ]
  return {
    metric: metric.name,
    items: labels.length,
    queries: queries.length,
    precisionAt1: one,
    recallAtK: { 1: one, 2: two, 4: four, 8: eight },
    meanAveragePrecisionAtR: mean((each) => each.averagePrecisionAtR),
    rPrecision: mean((each) => each.rPrecision),
  }
}

function countMembers(labels: LabelledEmbeddings['labels']): Map<string | number | null, number> {
  const counts = new Map<string | number | null, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return counts
}

function pick({ dtype, shape, data }: Tensor, rows: readonly number[]): Tensor {
  const width = shape[1]!
  const picked = new Float32Array(rows.length * width)
  rows.forEach((row, i) => {
    picked.set((data as Float32Array).subarray(row * width, (row + 1) * width), i * width)
  })
  return { dtype, shape: [rows.length, width], data: picked }
}
