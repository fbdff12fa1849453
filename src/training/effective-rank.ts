/** How many directions a batch of embeddings really uses. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import type { Tensor } from '../tensor.ts'

/**
 * exp of the entropy of the singular values of x [n, d], as shares of their sum: from 1, where all rows are multiples of one,
 * to min(n, d). Roy and Vetterli, "The effective rank: a measure of effective dimensionality", 2007.
 *
 * @returns 0 if x is all zeros or holds a number that is not finite.
 */
export function effectiveRank({ data, shape }: Tensor): number {
  const [n, d] = shape as [number, number]
  if (!data.every(Number.isFinite as (x: number | bigint) => boolean)) return 0
  const rows = Matrix.from1DArray(n, d, Array.from(data, Number))
  // The smaller of the two products has the same eigenvalues other than zero.
  const gram = n < d ? rows.mmul(rows.transpose()) : rows.transpose().mmul(rows)
  const squares = new EigenvalueDecomposition(gram, { assumeSymmetric: true }).realEigenvalues
  const singular = squares.map((square) => Math.sqrt(Math.max(0, square)))
  const total = singular.reduce((sum, each) => sum + each, 0)
  if (total === 0) return 0
  const shares = singular.map((each) => each / total).filter((share) => share > 0)
  return Math.exp(-shares.reduce((sum, share) => sum + share * Math.log(share), 0))
}
