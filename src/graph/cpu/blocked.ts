/** Convolution with its channels in blocks, the layout that the runtime's own kernels are fastest in. */
import type { Attributes } from '../operators/operator.ts'
import { one, type Value } from '../value.ts'

export const DOMAIN = 'com.microsoft.nchwc'

/**
 * A convolution of channels in blocks of `block`, as many as a vector register of the processor holds: the runtime's direct
 * kernels, which it takes for constant weights alone, for weights that change. A plain convolution copies all that each
 * window sees before it multiplies.
 *
 * @param x [n, inputs, h, w]; inputs and outputs have to be multiples of `block`.
 * @param weight [outputs, inputs, kernel height, kernel width]
 */
export function blockedConvolution(
  x: Value,
  weight: Value,
  bias: Value | undefined,
  attributes: Attributes,
  block: number,
): Value {
  const channels = weight.shape[0]!
  const blocks = one(`${DOMAIN}.ReorderInput`, [x])
  const convolved = one(`${DOMAIN}.Conv`, [blocks, inBlocks(weight, block), bias], attributes)
  return one(`${DOMAIN}.ReorderOutput`, [convolved], { channels })
}

/** By block of outputs and block of inputs, place in the kernel, input and output within the blocks. */
function inBlocks(weight: Value, block: number): Value {
  const [outputs, inputs, height, width] = weight.shape as [number, number, number, number]
  return weight
    .reshape([outputs / block, block, inputs / block, block, height, width])
    .transpose([0, 2, 4, 5, 3, 1])
    .reshape(weight.shape)
}
