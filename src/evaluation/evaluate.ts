/** How well what belongs together is each other's nearest neighbours. */
import { DataError } from '../errors.ts'
import type { Metric } from '../metrics/metric.ts'
import { random } from '../random.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { Agreement } from './agreement.ts'
import { type Interval, meansOf } from './bootstrap.ts'
import { type ClassMeasures, classMeasures } from './classes.ts'
import { cluster } from './clustering.ts'
import type { CurveFigures } from './curve.ts'
import { checkDimensions, checkEmbeddings } from './distances.ts'
import type { Comparison, LabelledEmbeddings } from './embedded.ts'
import { MEASURES, measure, NDCG_AT, RECALL_AT, type RetrievalMeasures, shape } from './measures.ts'
import { rankings } from './rankings.ts'
import { type Relevance, relevantOf } from './relevance.ts'
import { type VerificationIntervals, verify } from './verification.ts'

/** Measures of retrieval, and unless they alone were asked for, of verification and clustering. */
export interface Evaluation extends RetrievalMeasures {
  /** The metric that the neighbours are nearest in. */
  readonly metric: string
  /** How many embeddings were given to be evaluated. */
  readonly items: number
  /** How many of them were queries: those that have anything relevant to be found. */
  readonly queries: number
  /** Whether two items are of one class, told by their distance; left out where all are of one, or none of the same. */
  readonly verification?: CurveFigures
  /** How k-means in the metric, with as many clusters as there are classes, agrees with them. */
  readonly clustering?: Agreement
  /** 95 % intervals under the same names: of other queries, and of other items in verification. */
  readonly confidence?: Confidence
  /** The classes of the queries, those found worst first. */
  readonly perClass?: readonly ClassMeasures[]
}

/** Intervals [low, high] under the names of the figures. */
export interface Confidence extends ReturnType<typeof shape<Interval>> {
  readonly verification?: VerificationIntervals
}

export interface EvaluateOptions extends ComputeOptions {
  /** What the queries are compared with; every other item if left out. */
  readonly gallery?: LabelledEmbeddings | undefined
  /** Whether row i of the gallery is query i itself, differently embedded, and is not compared with it; false if left out. */
  readonly own?: boolean | undefined
  /** What is relevant to each query, and how much; the others of its class if left out. */
  readonly relevance?: Relevance | undefined
  /** Measures of retrieval alone, without classes and intervals; all if left out. */
  readonly only?: 'retrieval' | undefined
  /** Of what is drawn: intervals, and the first centres of clusters; 0 if left out. */
  readonly seed?: number | undefined
}

const RESAMPLES = 1000

/**
 * Compares each query with every other item, or with every item of the gallery where one is given. Items of the query's own
 * group are passed over. Items without a class are never queries, but can be found. Equal distances rank by row, so a
 * collapsed embedding scores by chance. With `relevance`, classes do not count, and there is neither verification nor
 * clustering.
 *
 * @throws DataError if no query has anything relevant to be found, or embeddings are not finite; UsageError if the relevance
 *   is of rows that are not there.
 */
export async function evaluate(
  embedded: LabelledEmbeddings,
  metric: Metric,
  { gallery, own = gallery === undefined, relevance, only, seed = 0, ...compute }: EvaluateOptions = {},
): Promise<Evaluation> {
  const comparison: Comparison = { queries: embedded, gallery: gallery ?? embedded, own }
  const { labels } = embedded
  const { queries, table } = await measureQueries(comparison, metric, relevance, compute)
  const { means, intervals } = meansOf(table, MEASURES, only ? 0 : RESAMPLES, random(seed, 'queries'))
  const retrieval = {
    metric: metric.name,
    items: labels.length,
    queries: queries.length,
    ...shape((column) => means[column]!),
  }
  if (only) return retrieval
  const confidence = shape((column) => intervals[column]!)
  if (relevance) return { ...retrieval, confidence }
  const found = await verify(embedded, metric, { gallery, own, seed, ...compute }).catch(unlessOneKind)
  const verification = found && figures(found)
  const clustering = await cluster(embedded, metric, { seed, ...compute })
  return {
    ...retrieval,
    ...(verification && { verification }),
    clustering,
    confidence: { ...confidence, ...(found?.confidence && { verification: found.confidence }) },
    perClass: classMeasures(
      queries.map((row) => labels[row]!),
      table,
    ),
  }
}

/** The measures of each query that has anything to be found: [queries, MEASURES]. */
async function measureQueries(
  comparison: Comparison,
  metric: Metric,
  relevance: Relevance | undefined,
  compute: ComputeOptions,
): Promise<{ queries: number[]; table: Float64Array }> {
  const { queries: asked, gallery } = comparison
  checkEmbeddings(asked.embeddings, asked.labels, 'queries')
  checkEmbeddings(gallery.embeddings, gallery.labels, 'gallery')
  checkDimensions(asked.embeddings, gallery.embeddings)
  const relevant = relevantOf(comparison, relevance)
  const counts = Int32Array.from(asked.labels.keys(), (query) => relevant(query).rows.length)
  const queries = [...asked.labels.keys()].filter((query) => counts[query]! > 0)
  // As pytorch-metric-learning has it, no query is looked at deeper than the one with most to find.
  const depth = counts.reduce((most, count) => Math.max(most, count), 0)
  if (queries.length === 0) throw nothingToFind(comparison, relevance !== undefined)

  // Only measures at a fixed K look deeper than that.
  const looked = Math.max(depth, ...RECALL_AT, ...NDCG_AT)
  const table = new Float64Array(queries.length * MEASURES)
  let start = 0
  for await (const { ranks, gains } of rankings(comparison, queries, relevant, looked, metric, compute)) {
    measure(ranks, gains, depth, table.subarray(start, start + MEASURES))
    start += MEASURES
  }
  return { queries, table }
}

function nothingToFind({ queries, own }: Comparison, hasTable: boolean): DataError {
  const count = `None of ${queries.labels.length} items can be evaluated: a query needs`
  if (hasTable) return new DataError(`${count} a relevant item${own ? '' : ' in the gallery'} with a grade above 0.`)
  const other = queries.groups ? ' outside its group' : ''
  return new DataError(
    `${count} another member of its class${own ? '' : ' in the gallery'}${other}. Give at least two images of a class, in a folder of their own.`,
  )
}

function figures({
  rocAuc,
  equalErrorRate,
  truePositiveRateAtFalsePositiveRate,
  bestAccuracy,
  bestThreshold,
}: CurveFigures): CurveFigures {
  return { rocAuc, equalErrorRate, truePositiveRateAtFalsePositiveRate, bestAccuracy, bestThreshold }
}

/** Items that are all of one class can be retrieved, but there is nothing to tell apart. */
function unlessOneKind(error: unknown): undefined {
  if (!(error instanceof DataError)) throw error
}
