/** Rows of the matrix of distances, block by block through the runtime: the matrix as a whole never exists. */
import { compile } from '../compile.ts'
import { DataError } from '../errors.ts'
import { input } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions, Program } from '../runtime/session.ts'
import { slice } from '../search/matrix.ts'
import type { Tensor } from '../tensor.ts'

/** Distances of some rows to all of the gallery. */
export interface DistanceBlock {
  /** The first of the rows. */
  readonly start: number
  readonly rows: number
  /** [rows, gallery]; overwritten by the next block. */
  readonly distances: Float32Array
}

export interface Distances {
  /** From each row of `queries` [q, d] to each of `gallery` [g, d], both float32. */
  blocks(queries: Tensor, gallery: Tensor): AsyncGenerator<DistanceBlock>
  release(): Promise<void>
}

const ROWS = 256
const COLUMNS = 8192
/** No more distances than this are held at once, as long as a row is not longer. */
const HELD = 2 ** 24

/** Programs are kept from call to call. */
export function openDistances(metric: Metric, compute: ComputeOptions): Distances {
  const programs = new Map<string, Program>()
  const [least, most] = metric.range

  async function programFor(rows: number, columns: number, dimension: number): Promise<Program> {
    const key = `${rows} × ${columns} × ${dimension}`
    const known = programs.get(key)
    if (known) return known
    const [a, b] = [input('a', 'float32', [rows, dimension]), input('b', 'float32', [columns, dimension])]
    const program = await compile({ distances: metric.matrix(a, b) }, compute)
    programs.set(key, program)
    return program
  }

  return {
    async *blocks(queries, gallery) {
      const [q, dimension] = queries.shape as [number, number]
      const g = gallery.shape[0]!
      const height = Math.max(1, Math.min(ROWS, q, Math.floor(HELD / g)))
      const distances = new Float32Array(height * g)
      for (let start = 0; start < q; start += height) {
        const rows = Math.min(height, q - start)
        const a = slice(queries, start, start + rows)
        for (let column = 0; column < g; column += COLUMNS) {
          const columns = Math.min(COLUMNS, g - column)
          const program = await programFor(rows, columns, dimension)
          const found = await program.run({ a, b: slice(gallery, column, column + columns) })
          const data = found.distances!.data as Float32Array
          for (let i = 0; i < rows; i++) {
            distances.set(data.subarray(i * columns, (i + 1) * columns), i * g + column)
          }
        }
        // Rounding can carry a distance a hair beyond the metric's range.
        for (let i = 0; i < rows * g; i++) {
          const distance = distances[i]!
          if (distance < least) distances[i] = least
          else if (distance > most) distances[i] = most
        }
        yield { start, rows, distances }
      }
    },
    async release() {
      for (const program of programs.values()) await program.release()
      programs.clear()
    },
  }
}

/** @throws DataError if embeddings are not [n, d] float32, or hold a number that is not finite. */
export function checkEmbeddings({ dtype, shape, data }: Tensor, labels: ArrayLike<unknown>, what: string): void {
  if (dtype !== 'float32' || shape.length !== 2) {
    throw new DataError(`The ${what} are ${dtype} [${shape.join(', ')}]; expected float32 [rows, dimension].`)
  }
  if (labels.length !== shape[0]) {
    throw new DataError(`There are ${labels.length} labels for ${shape[0]} ${what}. Give each a label; null is none.`)
  }
  const bad = (data as Float32Array).findIndex((x) => !Number.isFinite(x))
  if (bad < 0) return
  throw new DataError(`Row ${Math.floor(bad / shape[1]!)} of the ${what} holds ${data[bad]}; expected finite numbers.`)
}

/** @throws DataError if the two have not the same dimension. */
export function checkDimensions(queries: Tensor, gallery: Tensor): void {
  const [have, want] = [queries.shape[1], gallery.shape[1]]
  if (have === want) return
  throw new DataError(`The queries have ${have} dimensions, the gallery ${want}. Embed both with the same encoder.`)
}
