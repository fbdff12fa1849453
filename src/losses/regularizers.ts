/** Regularisers: what the rows of embeddings or class weights cost by themselves. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { cosine } from '../metrics/sphere.ts'
import { numbers } from './rows.ts'

export interface Regularizer {
  readonly name: string
  /** The cost of rows [n, d], a scalar. */
  cost(rows: Value): Value
}

/**
 * The mean length of a row, Σ|x|ᵖ to the power 1/p.
 *
 * @throws UsageError if p is neither 1 nor 2.
 */
export function lp({ p = 2 }: { readonly p?: number } = {}): Regularizer {
  if (p !== 1 && p !== 2) throw new UsageError(`p is ${p}; expected 1 or 2.`)
  const length = (x: Value) => (p === 1 ? x.abs().sum([1]) : x.sumSquare([1]).sqrt())
  return { name: 'lp', cost: (rows) => length(rows).mean() }
}

/** The mean of |Σⱼ xᵢⱼ|: rows whose elements add up to zero cost nothing. Yuan and others, "Signal-to-Noise Ratio", 2019, eq. 8. */
export function zeroMean(): Regularizer {
  return { name: 'zeroMean', cost: (rows) => rows.sum([1]).abs().mean() }
}

/**
 * ¼ (|x|² − mean |x|²)², the mean over rows: class weights of one length.
 *
 * Wu, Liu, Li, Fu, "Deep Face Recognition with Center Invariant Loss", 2017, eq. 4.
 */
export function centerInvariant(): Regularizer {
  return {
    name: 'centerInvariant',
    cost(rows) {
      const squares = rows.sumSquare([1])
      return squares.sub(squares.mean()).square().mean().div(4)
    },
  }
}

/**
 * The mean cosine of a row to its nearest other row: class weights apart from each other.
 *
 * Zhao, Xu, Cheng, "RegularFace: Deep Face Recognition via Exclusive Regularization", 2019, eq. 4.
 */
export function regularFace(): Regularizer {
  return {
    name: 'regularFace',
    cost(rows) {
      const near = cosine.matrix(rows, rows).neg().add(1)
      const row = numbers(rows.shape[0]!, rows)
      const self = row
        .unsqueeze([1])
        .equal(row.unsqueeze([0]))
        .cast('float32')
      return near.sub(self.mul(4)).max([1]).mean()
    },
  }
}

/**
 * The mean distance √(2 − 2 cos) of centres of one class, so that those that are not needed fall together.
 *
 * Qian, Shang, Sun, Hu, Li, Jin, "SoftTriple Loss: Deep Metric Learning Without Triplet Sampling", 2019, eq. 9.
 *
 * @param centersPerClass how many rows in a row are of one class, at least 2.
 * @throws UsageError if it is less.
 */
export function sparseCenters({ centersPerClass }: { readonly centersPerClass: number }): Regularizer {
  if (!(Number.isInteger(centersPerClass) && centersPerClass >= 2)) {
    throw new UsageError(`centersPerClass is ${centersPerClass}; expected a whole number of at least 2.`)
  }
  return {
    name: 'sparseCenters',
    cost(rows) {
      const [count, d] = rows.shape as [number, number]
      const classes = count / centersPerClass
      const centers = rows.reshape([classes, centersPerClass, d])
      const pairs = Array.from({ length: centersPerClass - 1 }, (_, i) => i + 1).map((shift) => {
        const [left, right] = [centers.slice(1, 0, centersPerClass - shift), centers.slice(1, shift, centersPerClass)]
        const near = cosine
          .pairwise(left.reshape([-1, d]), right.reshape([-1, d]))
          .neg()
          .add(1)
        const gap = near.neg().add(1).mul(2)
        return gap.greater(1e-6).where(gap, 0).sqrt().sum()
      })
      const total = pairs.reduce((sum, part) => sum.add(part))
      return total.div(classes * centersPerClass * (centersPerClass - 1))
    },
  }
}
