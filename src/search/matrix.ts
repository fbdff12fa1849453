/** Rows of numbers: what is searched, and what is asked. */
import { DataError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'

/** Float32 rows [rows, width]. */
export interface Matrix extends Tensor {
  readonly dtype: 'float32'
  readonly shape: readonly [rows: number, width: number]
  readonly data: Float32Array
}

/** The least and the greatest square of a row's length. */
export interface Lengths {
  readonly least: number
  readonly greatest: number
}

/** @throws DataError if it is not a matrix of finite float32 numbers. */
export function checkMatrix(tensor: Tensor, what: string): { matrix: Matrix; lengths: Lengths } {
  const { dtype, shape } = tensor
  if (dtype !== 'float32' || shape.length !== 2) {
    throw new DataError(`The ${what} are ${dtype} [${shape.join(', ')}]; expected float32 [rows, dimension].`)
  }
  const matrix = tensor as Matrix
  const [rows, width] = matrix.shape
  let [least, greatest] = [Number.POSITIVE_INFINITY, 0]
  for (let row = 0; row < rows; row++) {
    let square = 0
    for (let i = row * width; i < (row + 1) * width; i++) square += matrix.data[i]! * matrix.data[i]!
    // Squares of float32 numbers never leave the range of these sums, so only a number that is not finite does.
    if (!Number.isFinite(square)) {
      const bad = matrix.data.subarray(row * width, (row + 1) * width).find((x) => !Number.isFinite(x))
      throw new DataError(`Row ${row} of the ${what} holds ${bad}; expected finite numbers.`)
    }
    if (square < least) least = square
    if (square > greatest) greatest = square
  }
  return { matrix, lengths: { least, greatest } }
}

/** Some rows of a float32 matrix where they lie. */
export function slice({ shape, data }: Tensor, start: number, end: number): Matrix {
  const width = shape[1]!
  const part = (data as Float32Array).subarray(start * width, end * width)
  return { dtype: 'float32', shape: [end - start, width], data: part }
}

/** A copy of some rows of a float32 matrix, in the order given. */
export function pick({ shape, data }: Tensor, rows: ArrayLike<number>): Matrix {
  const width = shape[1]!
  const picked = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) {
    picked.set((data as Float32Array).subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width)
  }
  return { dtype: 'float32', shape: [rows.length, width], data: picked }
}

/** The same rows and, up to so many, copies of the last: shapes are fixed in a program. */
export function padded(matrix: Matrix, rows: number): Matrix {
  const [count, width] = matrix.shape
  if (count === rows) return matrix
  const data = new Float32Array(rows * width)
  data.set(matrix.data)
  const last = matrix.data.subarray((count - 1) * width)
  for (let row = count; row < rows; row++) data.set(last, row * width)
  return { dtype: 'float32', shape: [rows, width], data }
}

/** The least power of two that is not less: few shapes serve any number of rows. */
export function powerOfTwo(count: number): number {
  return 2 ** Math.ceil(Math.log2(count))
}
