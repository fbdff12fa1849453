/** What one query's neighbours are worth. */

/** The K of recall@K, and of NDCG@K. */
export const RECALL_AT = [1, 2, 4, 8] as const
export const NDCG_AT = [1, 5, 10] as const

/** Means over the queries, each from 0 to 1. */
export interface RetrievalMeasures {
  /** The share of queries whose nearest neighbour is relevant. */
  readonly precisionAt1: number
  /** The share of queries with at least one relevant item among the K nearest. */
  readonly recallAtK: { readonly '1': number; readonly '2': number; readonly '4': number; readonly '8': number }
  readonly meanAveragePrecisionAtR: number
  readonly rPrecision: number
  /** Over as many of the nearest as the query with most relevant items has; the next too. */
  readonly meanAveragePrecision: number
  readonly meanReciprocalRank: number
  readonly ndcgAtK: { readonly '1': number; readonly '5': number; readonly '10': number }
}

/** So many numbers are the measures of a query; `shape` gives them their names. */
export const MEASURES = 4 + RECALL_AT.length + NDCG_AT.length

/** Numbers of which there is one for each measure, by the measures' names. */
export function shape<T>(of: (column: number) => T) {
  const [first, gains] = [4, 4 + RECALL_AT.length]
  return {
    precisionAt1: of(first),
    recallAtK: { 1: of(first), 2: of(first + 1), 4: of(first + 2), 8: of(first + 3) },
    meanAveragePrecisionAtR: of(0),
    rPrecision: of(1),
    meanAveragePrecision: of(2),
    meanReciprocalRank: of(3),
    ndcgAtK: { 1: of(gains), 5: of(gains + 1), 10: of(gains + 2) },
  }
}

/**
 * Writes the measures of one query.
 *
 * MAP@R and R-precision as in Musgrave, Belongie, Lim, "A Metric Learning Reality Check", 2020, section 3.2; NDCG with the
 * grade as gain and log2 discounts, as in Järvelin and Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques", 2002.
 *
 * @param ranks from 0, of all R relevant items, nearest first.
 * @param gains their grades; 1 each if left out.
 * @param depth how many of the nearest are looked at for the average precision and the reciprocal rank.
 * @param into `MEASURES` numbers.
 */
export function measure(ranks: Int32Array, gains: Float64Array | undefined, depth: number, into: Float64Array): void {
  const relevant = ranks.length
  let [within, precisionsWithin, precisions] = [0, 0, 0]
  for (let i = 0; i < relevant; i++) {
    if (ranks[i]! >= depth) break
    const precision = (i + 1) / (ranks[i]! + 1)
    precisions += precision
    if (ranks[i]! >= relevant) continue
    within++
    precisionsWithin += precision
  }
  into[0] = precisionsWithin / relevant
  into[1] = within / relevant
  into[2] = precisions / relevant
  into[3] = ranks[0]! < depth ? 1 / (ranks[0]! + 1) : 0
  let column = 4
  for (const k of RECALL_AT) into[column++] = ranks[0]! < k ? 1 : 0
  const best = gains && Float64Array.from(gains).sort().reverse()
  for (const k of NDCG_AT) {
    let [found, ideal] = [0, 0]
    for (let i = 0; i < relevant && ranks[i]! < k; i++) found += (gains?.[i] ?? 1) / Math.log2(ranks[i]! + 2)
    for (let i = 0; i < Math.min(relevant, k); i++) ideal += (best?.[i] ?? 1) / Math.log2(i + 2)
    into[column++] = found / ideal
  }
}
