/** What one query's neighbours are worth. */

/** The K of recall@K. */
export const RECALL_AT = [1, 2, 4, 8] as const

export interface QueryMeasures {
  /** For each K of `RECALL_AT`: 1 if one of the K nearest is relevant, else 0. */
  readonly recallAt: readonly number[]
  readonly rPrecision: number
  readonly averagePrecisionAtR: number
}

/**
 * @param hits whether each neighbour is relevant, nearest first; at least as many as `relevant` or all there are.
 * @param relevant R, how many relevant items there are in all; at least 1.
 */
export function measure(hits: readonly boolean[], relevant: number): QueryMeasures {
  let found = 0
  let precisions = 0
  for (let i = 0; i < Math.min(relevant, hits.length); i++) {
    if (!hits[i]) continue
    found++
    precisions += found / (i + 1)
  }
  const first = hits.indexOf(true)
  return {
    recallAt: RECALL_AT.map((k) => (first >= 0 && first < k ? 1 : 0)),
    rPrecision: found / relevant,
    averagePrecisionAtR: precisions / relevant,
  }
}
