/** How well clusters, found without looking at classes, agree with them. */

import { compile } from '../compile.ts'
import { DataError } from '../errors.ts'
import { input } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { type Random, random } from '../random.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import { pick } from '../search/matrix.ts'
import type { Tensor } from '../tensor.ts'
import { type Agreement, agreement } from './agreement.ts'
import { checkEmbeddings, type Distances, openDistances } from './distances.ts'
import type { LabelledEmbeddings } from './embedded.ts'

export interface ClusterOptions extends ComputeOptions {
  /** Of the first centres; 0 if left out. */
  readonly seed?: number | undefined
}

/** Rounds after which k-means ends at the latest. */
const ROUNDS = 100

/**
 * Clusters the items that have a class into as many clusters as there are classes, and compares the two.
 *
 * @throws DataError if no item has a class, or embeddings are not finite.
 */
export async function cluster(
  { embeddings, labels }: LabelledEmbeddings,
  metric: Metric,
  { seed = 0, ...compute }: ClusterOptions = {},
): Promise<Agreement> {
  checkEmbeddings(embeddings, labels, 'embeddings')
  const rows = labels.flatMap((label, row) => (label === null ? [] : [row]))
  if (rows.length === 0)
    throw new DataError('No item has a class, so clusters have nothing to agree with. Give labels.')
  const classes = new Map([...new Set(rows.map((row) => labels[row]!))].map((label, number) => [label, number]))
  const numbers = Int32Array.from(rows, (row) => classes.get(labels[row]!)!)
  const found = await kMeans(pick(embeddings, rows), classes.size, metric, random(seed, 'k-means'), compute)
  return agreement(numbers, found)
}

/**
 * The cluster of each row, by Lloyd's algorithm in a metric: each row goes to the nearest centre, each centre is the mean of
 * its rows, of unit length first where the metric looks at directions only (spherical k-means: Dhillon and Modha, 2001).
 * First centres as in Arthur and Vassilvitskii, "k-means++", 2007.
 */
export async function kMeans(
  embeddings: Tensor,
  k: number,
  metric: Metric,
  random: Random,
  compute: ComputeOptions = {},
): Promise<Int32Array> {
  const rows = metric.directional ? await unitLength(embeddings, compute) : embeddings
  const distances = openDistances(metric, compute)
  try {
    let centres: Tensor = pick(rows, await firstCentres(rows, k, metric, distances, random))
    let clusters = new Int32Array(rows.shape[0]!).fill(-1)
    for (let round = 0; round < ROUNDS; round++) {
      const next = await nearestCentres(rows, centres, distances)
      if (next.clusters.every((each, i) => each === clusters[i])) break
      clusters = next.clusters
      centres = means(rows, next.clusters, next.distances, k)
    }
    return clusters
  } finally {
    await distances.release()
  }
}

async function unitLength(rows: Tensor, compute: ComputeOptions): Promise<Tensor> {
  const x = input('x', 'float32', rows.shape)
  const program = await compile({ unit: x.div(x.sumSquare([1], true).sqrt().maximum(1e-12)) }, compute)
  const { unit } = await program.run({ x: rows })
  await program.release()
  return unit!
}

/** Rows far from those chosen before: with a chance that grows as the square of a distance, or as what is a square already. */
async function firstCentres(
  rows: Tensor,
  k: number,
  metric: Metric,
  distances: Distances,
  { integer, uniform }: Random,
): Promise<number[]> {
  const n = rows.shape[0]!
  const chosen = [integer(n)]
  const weights = new Float64Array(n).fill(Number.POSITIVE_INFINITY)
  while (chosen.length < k) {
    for await (const block of distances.blocks(pick(rows, [chosen.at(-1)!]), rows)) {
      const nearest = block.distances.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY)
      for (let i = 0; i < n; i++) {
        const apart = block.distances[i]! - Math.min(0, nearest)
        weights[i] = Math.min(weights[i]!, metric.triangle ? apart * apart : apart)
      }
    }
    weights[chosen.at(-1)!] = 0
    let left = uniform(
      0,
      weights.reduce((sum, each) => sum + each, 0),
    )
    const next = weights.findIndex((weight) => {
      left -= weight
      return left < 0
    })
    // Where all that remain coincide with centres, any row is as good.
    chosen.push(next >= 0 ? next : integer(n))
  }
  return chosen
}

async function nearestCentres(rows: Tensor, centres: Tensor, between: Distances) {
  const [n, k] = [rows.shape[0]!, centres.shape[0]!]
  const clusters = new Int32Array(n)
  const distances = new Float32Array(n)
  for await (const block of between.blocks(rows, centres)) {
    for (let i = 0; i < block.rows; i++) {
      let best = 0
      for (let j = 1; j < k; j++) if (block.distances[i * k + j]! < block.distances[i * k + best]!) best = j
      clusters[block.start + i] = best
      distances[block.start + i] = block.distances[i * k + best]!
    }
  }
  return { clusters, distances }
}

/** The means of the clusters; in place of an empty one, the row that is farthest from its own centre. */
function means(rows: Tensor, clusters: Int32Array, distances: Float32Array, k: number): Tensor {
  const width = rows.shape[1]!
  const sums = new Float64Array(k * width)
  const sizes = new Int32Array(k)
  clusters.forEach((cluster, row) => {
    sizes[cluster]!++
    for (let i = 0; i < width; i++) sums[cluster * width + i]! += rows.data[row * width + i] as number
  })
  const data = Float32Array.from(sums, (sum, i) => sum / Math.max(1, sizes[Math.floor(i / width)]!))
  const far = Float32Array.from(distances)
  for (let cluster = 0; cluster < k; cluster++) {
    if (sizes[cluster]! > 0) continue
    const farthest = far.reduce((best, distance, row) => (distance > far[best]! ? row : best), 0)
    far[farthest] = Number.NEGATIVE_INFINITY
    data.set((rows.data as Float32Array).subarray(farthest * width, (farthest + 1) * width), cluster * width)
  }
  return { dtype: 'float32', shape: [k, width], data }
}
