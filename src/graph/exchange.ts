/** Matrices transposed, one by one where there are many. */
import { sameShape } from '../tensor.ts'
import type { Value } from './value.ts'

/** The last two axes exchanged. */
export function exchanged(x: Value): Value {
  return x.transpose(exchange(x.shape.length))
}

/** What `exchanged` made a value of, if it did. */
export function beforeExchange({ node, shape }: Value): Value | undefined {
  if (node?.operator !== 'Transpose') return undefined
  return sameShape(node.attributes.perm as readonly number[], exchange(shape.length)) ? node.inputs[0] : undefined
}

/** All axes in order, but for the last two. */
function exchange(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis))
}
