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

/**
 * Labels of any kind as classes from 0, one numbering for all lists: whole numbers from 0 as they are, others in the order in
 * which they come. With the size of the largest class in each list, and how many classes there are.
 */
export function toClasses(lists: readonly { labels: ArrayLike<number | string>; rows: number }[]): {
  numbers: Int32Array<ArrayBuffer>[]
  largest: number[]
  classes: number
} {
  for (const { labels, rows } of lists) {
    if (labels.length === rows) continue
    throw new DataError(`There are ${labels.length} labels for ${rows} embeddings; expected one label for each.`)
  }
  const every = lists.flatMap(({ labels }) => Array.from(labels))
  const areClasses = every.every(
    (label) => Number.isInteger(label) && (label as number) >= 0 && (label as number) < 2 ** 24,
  )
  const known = new Map<number | string, number>()
  for (const label of every) if (!known.has(label)) known.set(label, areClasses ? (label as number) : known.size)
  const numbers = lists.map(({ labels }) => Int32Array.from(Array.from(labels), (label) => known.get(label)!))
  const largest = numbers.map((list) => {
    const sizes = new Map<number, number>()
    for (const label of list) sizes.set(label, (sizes.get(label) ?? 0) + 1)
    return [...sizes.values()].reduce((most, each) => Math.max(most, each), 0)
  })
  return { numbers, largest, classes: [...known.values()].reduce((most, each) => Math.max(most, each + 1), 0) }
}
