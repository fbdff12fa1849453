/** Gradients of pooling. */
import { size } from '../../tensor.ts'
import type { Node } from '../node.ts'
import { windowOf } from '../operators/convolution.ts'
import { apply, constant, one, type Value } from '../value.ts'
import { resize } from './resize.ts'
import { inputsOf, type Rules, zeros } from './rule.ts'

/** Each place repeated over the window that it came from. */
function upsample(x: Value, factors: readonly number[]): Value {
  const scales = constant('float32', [factors.length + 2], [1, 1, ...factors])
  const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
  return one('Resize', [x, undefined, scales], attributes)
}

/**
 * Windows side by side: to where the input equals its window's maximum, which is faster than scattering by index.
 * Equal maxima share the gradient.
 */
function sideBySide(g: Value, node: Node, kernel: readonly number[]): Value {
  const x = inputsOf(node)[0]!
  // Rows and columns that no whole window covers get nothing.
  const rest = [0, 0, ...kernel.map((extent, i) => x.shape[i + 2]! - g.shape[i + 2]! * extent)]
  const none = rest.map(() => 0)
  const covered = x.pad([...none, ...rest.map((extent) => 0 - extent)])
  const hit = covered.equal(upsample(node.outputs[0]!, kernel)).cast('float32')
  return hit.mul(upsample(g.div(sumOfWindows(hit, kernel)), kernel)).pad([...none, ...rest])
}

/** Of windows side by side: a convolution with ones, which is twice as fast as AveragePool since that takes dilations. */
function sumOfWindows(x: Value, kernel: readonly number[]): Value {
  const [images, channels, ...extents] = x.shape as [number, number, ...number[]]
  const planes = x.reshape([images * channels, 1, ...extents])
  const ones = constant('float32', [1, 1, ...kernel], Array(size(kernel)).fill(1))
  const sums = one('Conv', [planes, ones], { kernel_shape: kernel, strides: kernel })
  return sums.reshape([images, channels, ...sums.shape.slice(2)])
}

/** Windows that overlap: by the index of each maximum into its own plane. */
function overlapping(g: Value, node: Node): Value {
  const x = inputsOf(node)[0]!
  const flat = size(x.shape)
  const { storage_order: byColumns, ...attributes } = node.attributes
  // Indices that count along columns are no places in memory.
  const places = byColumns ? apply('MaxPool', [x], attributes)[1]! : node.outputs[1]!
  const indices = places.reshape([size(g.shape)])
  return zeros([flat], g)
    .scatterAdd(indices, g.reshape([-1]), 0)
    .reshape(x.shape)
}

export const pooling: Rules = {
  Resize: resize,
  MaxPool: (g, node) => {
    const kernel = node.attributes.kernel_shape as readonly number[]
    const { strides, dilations, pads } = windowOf(node.attributes, kernel)
    const isWhole = pads.every((pad) => pad === 0) && dilations.every((each) => each === 1)
    const apart = isWhole && kernel.every((extent, i) => extent === strides[i])
    return [apart ? sideBySide(g, node, kernel) : overlapping(g, node)]
  },
  GlobalAveragePool: (g, node) => {
    const { shape } = inputsOf(node)[0]!
    return [g.div(size(shape.slice(2))).expand(shape)]
  },
  GlobalMaxPool: (g, node) => {
    const x = inputsOf(node)[0]!
    const hit = x.equal(node.outputs[0]!).cast('float32')
    return [hit.mul(g.div(hit.sum(x.shape.map((_, i) => i).slice(2), true)))]
  },
  AveragePool: (g, node) => {
    const x = inputsOf(node)[0]!
    const { kernel, strides, dilations, pads } = windowOf(
      node.attributes,
      node.attributes.kernel_shape as readonly number[],
    )
    const channels = x.shape[1]!
    const weight = constant('float32', [channels, 1, ...kernel], Array(channels * size(kernel)).fill(1))
    const shares = node.attributes.count_include_pad ? g.div(size(kernel)) : g.div(counts(x, node))
    const extra = kernel.map((extent, i) => {
      const reach = (g.shape[i + 2]! - 1) * strides[i]! + (extent - 1) * dilations[i]! + 1
      return x.shape[i + 2]! - (reach - pads[i]! - pads[i + kernel.length]!)
    })
    const attributes = { strides, dilations, pads, group: channels, output_padding: extra }
    return [one('ConvTranspose', [shares, weight], attributes)]
  },
}

/** How many elements of the input each window holds, without the padding. */
function counts(x: Value, node: Node): Value {
  const { count_include_pad: _, ...attributes } = node.attributes
  const kernel = attributes.kernel_shape as readonly number[]
  const ones = constant('float32', [1, 1, ...x.shape.slice(2)], Array(size(x.shape.slice(2))).fill(1))
  return one('AveragePool', [ones], { ...attributes, count_include_pad: 1 }).mul(size(kernel))
}
