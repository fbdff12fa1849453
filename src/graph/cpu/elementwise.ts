/** Comparisons as numbers, in one pass. */
import type { Rewrite } from '../rewrite.ts'
import { one } from '../value.ts'

/** So steep that every float32 above zero, times this, is above one. */
const STEEP = 3e38

/**
 * 1 where a number is above zero and 0 elsewhere: a line through zero, cut off at 0 and 1, as steep as float32 has them.
 * Comparing and converting would go over all numbers twice.
 */
export const step: Rewrite = ({ attributes }, [x]) => {
  const [number, bound] = x?.node?.operator === 'Greater' ? x.node.inputs : []
  if (attributes.dtype !== 'float32' || number?.dtype !== 'float32') return undefined
  const isZero = bound?.data?.length === 1 && bound.data[0] === 0 && bound.shape.length === 0
  return isZero ? [one('HardSigmoid', [number], { alpha: STEEP, beta: 0 })] : undefined
}
