/** How far apart pairs of one class are, and pairs of two, in the model's metric. */
import { compile } from '../compile.ts'
import { input } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Tensor } from '../tensor.ts'

export interface Verification {
  /** The chance that a pair of one class is closer than a pair of two. */
  readonly rocAuc: number
  /** Where as many different pairs are taken for the same as same pairs are missed. */
  readonly equalErrorRate: number
  /** The distance up to which pairs are best taken for the same: true and false positive rate are farthest apart there. */
  readonly threshold: number
  readonly roc: { readonly falsePositiveRate: readonly number[]; readonly truePositiveRate: readonly number[] }
  /** Shares of the pairs of each kind between neighbouring edges. */
  readonly histogram: {
    readonly edges: readonly number[]
    readonly same: readonly number[]
    readonly different: readonly number[]
  }
}

const BINS = 60
/** Points of a curve: more than a screen can show are not kept. */
const POINTS = 200

/** Of all pairs of these rows [n, d] that have a class; undefined unless there are pairs of both kinds. */
export async function verify(
  metric: Metric,
  embeddings: { readonly query: Tensor; readonly gallery: Tensor },
  labels: Int32Array,
): Promise<Verification | undefined> {
  const type = embeddings.query.shape
  const program = await compile({ distances: metric.matrix(input('a', 'float32', type), input('b', 'float32', type)) })
  const { distances } = await program.run({ a: embeddings.query, b: embeddings.gallery })
  await program.release()
  const same: number[] = []
  const different: number[] = []
  const n = type[0]!
  for (let a = 0; a < n; a++) {
    for (let b = a + 1; b < n; b++) {
      if (labels[a] === -1 || labels[b] === -1) continue
      ;(labels[a] === labels[b] ? same : different).push(distances!.data[a * n + b] as number)
    }
  }
  if (same.length === 0 || different.length === 0) return undefined
  return summarise(Float64Array.from(same).sort(), Float64Array.from(different).sort())
}

/** From distances in rising order. Ties of a same and a different pair count half. */
export function summarise(same: Float64Array, different: Float64Array): Verification {
  const curve = rates(same, different)
  let [area, best] = [0, curve[0]!]
  let equal: { gap: number; rate: number } = { gap: Number.POSITIVE_INFINITY, rate: 1 }
  curve.forEach((point, i) => {
    const before = curve[i - 1] ?? point
    area += ((point.fpr - before.fpr) * (point.tpr + before.tpr)) / 2
    if (point.tpr - point.fpr > best.tpr - best.fpr) best = point
    const gap = Math.abs(1 - point.tpr - point.fpr)
    if (gap < equal.gap) equal = { gap, rate: (1 - point.tpr + point.fpr) / 2 }
  })
  const step = Math.max(1, Math.floor(curve.length / POINTS))
  const kept = curve.filter((_, i) => i % step === 0 || i === curve.length - 1)
  const low = Math.min(same[0]!, different[0]!)
  const width = (Math.max(same.at(-1)!, different.at(-1)!) - low) / BINS || 1 / BINS
  return {
    rocAuc: area,
    equalErrorRate: equal.rate,
    threshold: best.distance,
    roc: { falsePositiveRate: kept.map(({ fpr }) => fpr), truePositiveRate: kept.map(({ tpr }) => tpr) },
    histogram: {
      edges: Array.from({ length: BINS + 1 }, (_, i) => low + i * width),
      same: shares(same, low, width),
      different: shares(different, low, width),
    },
  }
}

interface Rates {
  readonly distance: number
  readonly fpr: number
  readonly tpr: number
}

/** What is taken for the same up to each distance that occurs. */
function rates(same: Float64Array, different: Float64Array): Rates[] {
  const curve: Rates[] = [{ distance: Math.min(same[0]!, different[0]!), fpr: 0, tpr: 0 }]
  let [s, d] = [0, 0]
  while (s < same.length || d < different.length) {
    const distance = Math.min(same[s] ?? Number.POSITIVE_INFINITY, different[d] ?? Number.POSITIVE_INFINITY)
    while (same[s] === distance) s++
    while (different[d] === distance) d++
    curve.push({ distance, fpr: d / different.length, tpr: s / same.length })
  }
  return curve
}

function shares(distances: Float64Array, low: number, width: number): number[] {
  const counts = new Array<number>(BINS).fill(0)
  for (const distance of distances) counts[Math.min(BINS - 1, Math.floor((distance - low) / width))]! += 1
  return counts.map((count) => count / distances.length)
}
