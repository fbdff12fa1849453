/** Exact search: the nearest embeddings of a gallery, in a metric, block by block. */

import { compile } from '../compile.ts'
import { DataError } from '../errors.ts'
import { concat, input } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions, Program } from '../runtime/session.ts'
import type { Tensor } from '../tensor.ts'

/** What was found for each query, nearest first; at equal distances the lower index first. */
export interface Neighbours {
  /** How many were found for each query: no more than the gallery has. */
  readonly k: number
  /** Rows of the gallery: [queries, k]. */
  readonly indices: Int32Array
  /** In the metric's unit: [queries, k]. */
  readonly distances: Float32Array
}

export interface Searcher {
  /** Searches for the rows of `queries` [q, d] float32. @throws DataError if they do not fit the gallery. */
  nearest(queries: Tensor): Promise<Neighbours>
  release(): Promise<void>
}

export interface SearchOptions extends ComputeOptions {
  /** How many to find for each query. */
  readonly k: number
  /** How many rows of queries and of the gallery are compared at once. */
  readonly blocks?: { readonly queries: number; readonly gallery: number }
}

/** Some millions of distances at once: enough to keep the processors busy, and little memory. */
const BLOCKS = { queries: 256, gallery: 8192 }

/** Farther than anything, for the places that the first block fills. */
const FAR = 3e38

/**
 * Searches one gallery [g, d] float32 many times. Memory does not grow with the number of distances: each block of the
 * gallery is merged into the best that the blocks before it gave.
 *
 * @throws DataError if the gallery is empty or holds a number that is not finite.
 */
export function openSearcher(
  gallery: Tensor,
  metric: Metric,
  { k, blocks = BLOCKS, ...compute }: SearchOptions,
): Searcher {
  const [size, dimension] = shapeOf(gallery, 'gallery')
  if (size === 0) throw new DataError('The gallery is empty. Give at least one embedding to search.')
  const kept = Math.min(k, size)
  // Shapes are fixed in a program: one for whole blocks, and more for what remains at the ends.
  const programs = new Map<string, Program>()

  async function programFor(rows: number, columns: number): Promise<Program> {
    const key = `${rows} × ${columns}`
    const known = programs.get(key)
    if (known) return known
    const program = await compileBlock(rows, columns, dimension, kept, metric, compute)
    programs.set(key, program)
    return program
  }

  async function searchBlock(queries: Tensor): Promise<{ indices: Tensor; distances: Tensor }> {
    const rows = queries.shape[0]!
    const shape = [rows, kept]
    let distances: Tensor = { dtype: 'float32', shape, data: new Float32Array(rows * kept).fill(FAR) }
    let indices: Tensor = { dtype: 'int32', shape, data: new Int32Array(rows * kept).fill(-1) }
    for (let start = 0; start < size; start += blocks.gallery) {
      const block = slice(gallery, start, Math.min(start + blocks.gallery, size))
      const program = await programFor(rows, block.shape[0]!)
      const offset: Tensor = { dtype: 'int32', shape: [], data: Int32Array.of(start) }
      const results = await program.run({ queries, gallery: block, offset, distances, indices })
      distances = results.nextDistances!
      indices = results.nextIndices!
    }
    return { distances, indices }
  }

  return {
    async nearest(queries) {
      const [count, width] = shapeOf(queries, 'queries')
      if (width !== dimension) {
        throw new DataError(
          `The queries have ${width} dimensions, the gallery ${dimension}. Embed both with the same encoder.`,
        )
      }
      const indices = new Int32Array(count * kept)
      const distances = new Float32Array(count * kept)
      for (let start = 0; start < count; start += blocks.queries) {
        const found = await searchBlock(slice(queries, start, Math.min(start + blocks.queries, count)))
        indices.set(found.indices.data as Int32Array, start * kept)
        distances.set(found.distances.data as Float32Array, start * kept)
      }
      // Rounding can carry a distance a hair beyond the metric's range.
      const [least, most] = metric.range
      return { k: kept, indices, distances: distances.map((x) => Math.min(Math.max(x, least), most)) }
    },
    async release() {
      for (const program of programs.values()) await program.release()
      programs.clear()
    },
  }
}

/** Searches once. */
export async function nearest(
  queries: Tensor,
  gallery: Tensor,
  metric: Metric,
  options: SearchOptions,
): Promise<Neighbours> {
  const searcher = openSearcher(gallery, metric, options)
  try {
    return await searcher.nearest(queries)
  } finally {
    await searcher.release()
  }
}

/** The k nearest of one block of the gallery, merged with the k nearest so far. */
function compileBlock(
  rows: number,
  columns: number,
  dimension: number,
  k: number,
  metric: Metric,
  compute: ComputeOptions,
): Promise<Program> {
  const matrix = metric.matrix(
    input('queries', 'float32', [rows, dimension]),
    input('gallery', 'float32', [columns, dimension]),
  )
  const block = matrix.topK(Math.min(k, columns), 1, { largest: false })
  const found = block.indices.cast('int32').add(input('offset', 'int32', []))
  const merged = concat([input('distances', 'float32', [rows, k]), block.values], 1).topK(k, 1, { largest: false })
  const indices = concat([input('indices', 'int32', [rows, k]), found], 1).gatherElements(merged.indices, 1)
  return compile({ nextDistances: merged.values, nextIndices: indices }, compute)
}

function shapeOf({ dtype, shape, data }: Tensor, what: string): [number, number] {
  if (dtype !== 'float32' || shape.length !== 2) {
    throw new DataError(`The ${what} are ${dtype} [${shape.join(', ')}]; expected float32 [rows, dimension].`)
  }
  const bad = (data as Float32Array).findIndex((x) => !Number.isFinite(x))
  if (bad >= 0) {
    throw new DataError(
      `Row ${Math.floor(bad / shape[1]!)} of the ${what} holds ${data[bad]}; expected finite numbers.`,
    )
  }
  return shape as unknown as [number, number]
}

function slice({ dtype, shape, data }: Tensor, start: number, end: number): Tensor {
  const width = shape[1]!
  return { dtype, shape: [end - start, width], data: (data as Float32Array).subarray(start * width, end * width) }
}
