/** Graphs as the CPU computes them fastest. */

import { size } from '../tensor.ts'
import { blockedConvolution } from './blocked.ts'
import { beforeExchange } from './exchange.ts'
import type { Node } from './node.ts'
import { windowOf } from './operators/convolution.ts'
import type { Rewrite } from './rewrite.ts'
import { apply, one, type Value } from './value.ts'

/**
 * The runtime multiplies matrices image by image, which leaves its threads idle where images are smaller than this many
 * pixels and kernels have at least so many channels to sum over.
 */
const [SMALL, CHANNELS] = [64, 16]
/** Fewer images than this are not worth the rearrangement. */
const IMAGES = 8

/**
 * Convolutions in blocks of channels, or of many small images as one of a single wide image; log Σ exp by way of LogSoftmax.
 *
 * @param block how many channels the runtime's own convolutions take at once, where it has such.
 */
export function forCpu(block?: number): Rewrite {
  return (node, inputs) => {
    if (node.operator === 'ReduceLogSumExp') return logSumExp(node, inputs as [Value, Value?])
    if (node.operator === 'MatMul') return product(inputs as [Value, Value])
    return node.operator === 'Conv' ? convolution(node, inputs as [Value, Value, Value?], block) : undefined
  }
}

/** A product that takes its operands as they were before their last two axes were exchanged. */
function product(operands: readonly [Value, Value]): readonly Value[] | undefined {
  const [a, b] = operands.map(beforeExchange)
  if (!a && !b) return undefined
  return apply('com.microsoft.FusedMatMul', [a ?? operands[0], b ?? operands[1]], {
    transA: Number(a !== undefined),
    transB: Number(b !== undefined),
  })
}

function convolution(node: Node, [x, weight, bias]: readonly [Value, Value, Value?], block: number | undefined) {
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

/**
 * The runtime's log Σ exp takes one exponential after another, its LogSoftmax many at once, in a tenth of the time. With
 * y = x − log Σ exp(x), the difference of their greatest elements is what is asked for.
 */
function logSumExp({ attributes }: Node, [x, axes]: readonly [Value, Value?]): readonly Value[] | undefined {
  const last = x.shape.length - 1
  if (axes?.data?.length !== 1 || ![last, -1].includes(Number(axes.data[0]))) return undefined
  const keep = attributes.keepdims !== 0
  const normalized = one('LogSoftmax', [x], { axis: last })
  return [x.max([last], keep).sub(normalized.max([last], keep))]
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
