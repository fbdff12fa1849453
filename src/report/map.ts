/** A map of embeddings: items that are near in the model's metric are near in the plane. */
import { UMAP } from 'umap-js'
import type { Metric } from '../metrics/metric.ts'
import { random } from '../random.ts'
import { nearest } from '../search/index.ts'
import type { Tensor } from '../tensor.ts'

/** How many neighbours decide where an item lies. */
const NEIGHBOURS = 15
/** Fewer items than this make no map. */
const FEWEST = 4

/**
 * Places of embeddings [n, d] in the plane, by UMAP (McInnes, Healy, Melville, 2018) over their nearest neighbours in the
 * metric. The same embeddings give the same map. Undefined if there are too few.
 */
export async function mapOf(embeddings: Tensor, metric: Metric): Promise<number[][] | undefined> {
  const n = embeddings.shape[0]!
  if (n < FEWEST) return undefined
  const k = Math.min(NEIGHBOURS, n - 1)
  const found = await nearest(embeddings, embeddings, metric, { k })
  const [least] = metric.range
  // UMAP takes distances from 0, of which some metrics' are shifted by a constant.
  const zero = Number.isFinite(least) ? least : found.distances.reduce((low, x) => Math.min(low, x), 0)
  const rowOf = <T>(values: ArrayLike<number>, row: number, of: (x: number) => T) =>
    Array.from({ length: k }, (_, i) => of(values[row * k + i]!))
  const rows = Array.from({ length: n }, (_, row) => row)
  const { uniform } = random(0, 'map')
  const umap = new UMAP({ nComponents: 2, nNeighbors: k, minDist: 0.15, random: () => uniform(0, 1) })
  umap.setPrecomputedKNN(
    rows.map((row) => rowOf(found.indices, row, (index) => index)),
    rows.map((row) => rowOf(found.distances, row, (distance) => distance - zero)),
  )
  return umap.fit(rows.map((row) => [row]))
}
