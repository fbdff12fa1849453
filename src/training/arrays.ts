/** Embeddings and labels as a caller has them, checked and turned into tensors. */
import { DataError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'

/** Row-major data with its shape [n, d], or one array a row. */
export type Rows =
  | { readonly data: ArrayLike<number>; readonly shape: readonly [number, number] }
  | readonly ArrayLike<number>[]

/** @throws DataError if rows differ in length, the shape does not fit the data, or a number is not finite. */
export function toRows(
  rows: Rows,
  what: string,
): Tensor & { readonly data: Float32Array; readonly shape: readonly [number, number] } {
  const [shape, data] = 'data' in rows ? [rows.shape, Float32Array.from(rows.data)] : flatten(rows, what)
  if (shape.length !== 2 || shape[0] * shape[1] !== data.length || data.length === 0) {
    throw new DataError(
      `The ${what} have the shape [${shape.join(', ')}] and ${data.length} numbers; expected [rows, dimension] with as many numbers as that.`,
    )
  }
  const bad = data.findIndex((x) => !Number.isFinite(x))
  if (bad >= 0) {
    throw new DataError(
      `Row ${Math.floor(bad / shape[1])} of the ${what} holds ${data[bad]}; expected finite float32 numbers.`,
    )
  }
  return { dtype: 'float32', shape, data }
}

function flatten(rows: readonly ArrayLike<number>[], what: string): [readonly [number, number], Float32Array] {
  const dimension = rows[0]?.length ?? 0
  const data = new Float32Array(rows.length * dimension)
  rows.forEach((row, i) => {
    if (row.length !== dimension) {
      throw new DataError(
        `Row ${i} of the ${what} has ${row.length} numbers, row 0 has ${dimension}; expected rows of one length.`,
      )
    }
    data.set(row, i * dimension)
  })
  return [[rows.length, dimension], data]
}

/** Labels of any kind as numbers from 0, and the size of the largest class. */
export function toLabels(
  labels: ArrayLike<number | string>,
  rows: number,
): { labels: Int32Array; largestClass: number } {
  if (labels.length !== rows) {
    throw new DataError(`There are ${labels.length} labels for ${rows} embeddings; expected one label for each.`)
  }
  const numbers = new Map<number | string, number>()
  const result = Int32Array.from(Array.from(labels), (label) => {
    if (!numbers.has(label)) numbers.set(label, numbers.size)
    return numbers.get(label)!
  })
  const sizes = new Int32Array(numbers.size)
  for (const label of result) sizes[label]!++
  return { labels: result, largestClass: Math.max(...sizes) }
}
