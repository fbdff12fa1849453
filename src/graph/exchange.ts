/** Matrices transposed, one by one where there are many. */
import { sameShape } from '../tensor.ts'
import type { Value } from './value.ts'

/** The last two axes exchanged. */
export function exchanged(x: Value): Value {
  return x.transpose(exchange(x.shape.length))
}

/** What `exchanged` made a value of, if it did. */
export function beforeExchange(value: Value): Value | undefined {
  const before = transposed(value)
  return before && sameShape(before.perm, exchange(value.shape.length)) ? before.x : undefined
}

/** What a value is a transpose of, and in which order of the axes. */
export function transposed({ node }: Value): { x: Value; perm: readonly number[] } | undefined {
  if (node?.operator !== 'Transpose') return undefined
  return { x: node.inputs[0]!, perm: node.attributes.perm as readonly number[] }
}

/** All axes in order, but for the last two. */
function exchange(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis))
}
