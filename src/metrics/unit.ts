/** Unit length: what all metrics of the sphere begin with. */
import type { Value } from '../graph/value.ts'

/** Squared lengths up to this count as zero: the reciprocal of their root would not be a useful number. */
const ZERO = 1e-24

/**
 * The rows of x [n, d] at length 1. A zero vector has no direction: it stays zero, and no gradient flows through it, so
 * one dead embedding cannot spoil a whole batch.
 */
export function unit(x: Value): Value {
  const squares = x.sumSquare([1], true)
  const alive = squares.greater(ZERO)
  return x.mul(alive.where(alive.where(squares, 1).sqrt().reciprocal(), 0))
}
