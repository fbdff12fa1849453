/** Convolutions in blocks of channels, or of many small images as one of a single wide image. */
import { size } from '../../tensor.ts'
import type { Node } from '../node.ts'
import { windowOf } from '../operators/convolution.ts'
import type { Rewrite } from '../rewrite.ts'
import { one, type Value } from '../value.ts'
import { blockedConvolution } from './blocked.ts'

/**
 * The runtime multiplies matrices image by image, which leaves its threads idle where images are smaller than this many
 * pixels and kernels have at least so many channels to sum over.
 */
const [SMALL, CHANNELS] = [64, 16]
/** Fewer images than this are not worth the rearrangement. */
const IMAGES = 8

/** @param block how many channels the runtime's own convolutions take at once, where it has such. */
export const convolution =
  (block: number | undefined): Rewrite =>
  (node, inputs) => {
    const [x, weight, bias] = inputs as readonly [Value, Value, Value?]
    if (block !== undefined && comesInBlocks(node, weight, block)) {
      return [blockedConvolution(x, weight, bias, node.attributes, block)]
    }
    return isSmall(node, x, weight) ? [sideBySide(node, x, weight, bias)] : undefined
  }

function comesInBlocks({ attributes }: Node, weight: Value, block: number): boolean {
  const { kernel, group } = windowOf(attributes, weight.shape.slice(2))
  const [outputs, inputs] = weight.shape as [number, number]
  return kernel.length === 2 && group === 1 && size(kernel) > 1 && outputs % block === 0 && inputs % block === 0
}

function isSmall({ attributes }: Node, x: Value, weight: Value): boolean {
  const { kernel, strides, group, pads, dilations } = windowOf(attributes, weight.shape.slice(2))
  const [images, channels, ...extents] = x.shape as [number, number, ...number[]]
  return (
    extents.length === 2 &&
    group === 1 &&
    kernel.some((extent) => extent > 1) &&
    strides.every((stride) => stride === 1) &&
    // The gap between two images has to hold all that a window sees beyond the edge of one.
    pads[1]! <= reachOf(kernel, dilations) &&
    pads[3]! <= reachOf(kernel, dilations) &&
    extents[0]! * extents[1]! < SMALL &&
    channels >= CHANNELS &&
    images >= IMAGES
  )
}

/** How far a window reaches beyond its first column. */
function reachOf(kernel: readonly number[], dilations: readonly number[]): number {
  return (kernel[1]! - 1) * dilations[1]!
}

/** [n, c, h, w] as [1, c, h, n (w + gap)], convolved, and back. */
function sideBySide({ attributes }: Node, x: Value, weight: Value, bias: Value | undefined): Value {
  const { kernel, dilations, pads } = windowOf(attributes, weight.shape.slice(2))
  const [images, channels, height, width] = x.shape as [number, number, number, number]
  const [top, left, bottom, right] = pads as [number, number, number, number]
  const gap = Math.max(left, right)
  const row = x
    .transpose([1, 2, 0, 3])
    .pad([0, 0, 0, 0, 0, 0, 0, gap])
    .reshape([1, channels, height, images * (width + gap)])
  const reach = reachOf(kernel, dilations)
  // So much on the right that there are as many columns as before: those of the gaps are dropped.
  const wide = one('Conv', [row, weight, bias], {
    kernel_shape: kernel,
    dilations,
    pads: [top, left, bottom, reach - left],
  })
  const [, outputs, rows] = wide.shape as [number, number, number]
  return wide
    .reshape([outputs, rows, images, width + gap])
    .slice(3, 0, width + left + right - reach)
    .transpose([2, 0, 1, 3])
}
