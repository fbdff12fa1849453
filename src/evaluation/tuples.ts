/** How well distances agree with what tuples say. */
import { compile } from '../compile.ts'
import { input } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import { nearest } from '../search/index.ts'
import type { Tensor } from '../tensor.ts'

/** Embeddings [n, d] float32, row i of each belongs together. */
export type EmbeddedTuples =
  | { readonly kind: 'tuples'; readonly anchor: Tensor; readonly positive: Tensor; readonly negative: Tensor }
  | { readonly kind: 'pairs'; readonly anchor: Tensor; readonly positive: Tensor }
  | { readonly kind: 'graded'; readonly a: Tensor; readonly b: Tensor; readonly score: ArrayLike<number> }

export type TupleEvaluation = {
  /** The metric that distances are of. */
  readonly metric: string
  /** How many there are. */
  readonly tuples: number
} & (
  | {
      readonly kind: 'tuples'
      /** The share of triplets whose positive is closer than the negative. */
      readonly inOrder: number
    }
  | {
      readonly kind: 'pairs'
      /** The share of anchors whose own positive is the nearest of all positives. */
      readonly precisionAt1: number
    }
  | {
      readonly kind: 'graded'
      /** Spearman's rank correlation of score and closeness, from −1 to 1; equal ones share the mean of their ranks. */
      readonly spearman: number
      /** Where there are two scores alone, as 0 and 1: how often a pair of the higher is closer than one of the lower. */
      readonly areaUnderRoc?: number
    }
)

/** How well the distances of tuples agree with them. */
export async function evaluateTuples(
  tuples: EmbeddedTuples,
  metric: Metric,
  compute: ComputeOptions = {},
): Promise<TupleEvaluation> {
  const common = { metric: metric.name, tuples: (tuples.kind === 'graded' ? tuples.a : tuples.anchor).shape[0]! }
  if (tuples.kind === 'tuples') {
    const [near, far] = [
      await distances(tuples.anchor, tuples.positive, metric, compute),
      await distances(tuples.anchor, tuples.negative, metric, compute),
    ]
    return { ...common, kind: 'tuples', inOrder: near.filter((distance, i) => distance < far[i]!).length / near.length }
  }
  if (tuples.kind === 'pairs') {
    const { indices } = await nearest(tuples.anchor, tuples.positive, metric, { k: 1, ...compute })
    return { ...common, kind: 'pairs', precisionAt1: indices.filter((index, i) => index === i).length / indices.length }
  }
  const { a, b, score } = tuples
  const closeness = (await distances(a, b, metric, compute)).map((distance) => -distance)
  const ranks = ranksOf(closeness)
  const grades = new Set(Array.from(score))
  return {
    ...common,
    kind: 'graded',
    spearman: correlation(ranks, ranksOf(score)),
    ...(grades.size === 2 && { areaUnderRoc: areaUnderRoc(ranks, score, Math.max(...grades)) }),
  }
}

/** So many rows are compared at once. */
const ROWS = 4096

/** The distance of each row of `a` to that of `b`: [n]. */
async function distances(a: Tensor, b: Tensor, metric: Metric, compute: ComputeOptions): Promise<Float32Array> {
  const [n, d] = a.shape as [number, number]
  const found = new Float32Array(n)
  const block = (of: Tensor, start: number, rows: number): Tensor => {
    return { dtype: 'float32', shape: [rows, d], data: of.data.subarray(start * d, (start + rows) * d) as Float32Array }
  }
  for (let start = 0; start < n; ) {
    const rows = Math.min(ROWS, n - start)
    const [left, right] = ['a', 'b'].map((name) => input(name, 'float32', [rows, d])) as [Side, Side]
    const program = await compile({ distance: metric.pairwise(left, right) }, compute)
    try {
      // One program for all whole blocks, another for what remains.
      for (; start + rows <= n; start += rows) {
        const { distance } = await program.run({ a: block(a, start, rows), b: block(b, start, rows) })
        found.set(distance!.data as Float32Array, start)
      }
    } finally {
      await program.release()
    }
  }
  return found
}

type Side = ReturnType<typeof input>

/** Ranks from 1, of equal values the mean of theirs. */
function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i]! - values[j]!)
  const ranks = new Float64Array(values.length)
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++
    for (let i = start; i < end; i++) ranks[order[i]!] = (start + 1 + end) / 2
  }
  return ranks
}

/** Pearson's, which of ranks is Spearman's; 0 where one of them is constant. */
function correlation(x: Float64Array, y: Float64Array): number {
  const mean = (x.length + 1) / 2
  let [xy, xx, yy] = [0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - mean, y[i]! - mean]
    xy += dx * dy
    xx += dx * dx
    yy += dy * dy
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0
}

/** By the sum of the ranks of what should be higher: Mann and Whitney, 1947. Ties count half. */
function areaUnderRoc(ranks: Float64Array, score: ArrayLike<number>, high: number): number {
  let [sum, count] = [0, 0]
  for (let i = 0; i < ranks.length; i++) {
    if (score[i] !== high) continue
    sum += ranks[i]!
    count++
  }
  return (sum - (count * (count + 1)) / 2) / (count * (ranks.length - count))
}
