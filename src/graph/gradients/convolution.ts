/** Gradients of convolution, in the forms that the runtime computes fastest. */

import { size } from '../../tensor.ts'
import type { Node } from '../node.ts'
import { windowOf } from '../operators/convolution.ts'
import { concat, one, type Value } from '../value.ts'
import { inputsOf, type Rules } from './rule.ts'

/** Up to this many rows, the shifted inputs of all kernel taps are stacked for one product instead of one each. */
const STACKED_ROWS = 64
/** Into so many parts at most the images are divided, so that as many threads have one each. */
const PARTS = 16

type Window = ReturnType<typeof windowOf>

function windowOfNode(node: Node): Window {
  return windowOf(node.attributes, inputsOf(node)[1]!.shape.slice(2))
}

/** Where each tap of the kernel lies, row-major: [0, 0], [0, 1], … */
function tapsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (taps, extent) => taps.flatMap((t) => [...Array(extent).keys()].map((k) => [...t, k])),
    [[]],
  )
}

/** At stride 1 a convolution with the flipped kernel, which is faster than ConvTranspose; ConvTranspose otherwise. */
function inputGradient(g: Value, node: Node): Value {
  const [x, weight] = inputsOf(node) as [Value, Value]
  const { kernel, strides, dilations, pads, group } = windowOfNode(node)
  const axes = kernel.length
  const reach = kernel.map((extent, i) => (extent - 1) * dilations[i]!)
  if (strides.every((stride) => stride === 1) && pads.every((pad, i) => pad <= reach[i % axes]!)) {
    const attributes = { strides, dilations, group, pads: pads.map((pad, i) => reach[i % axes]! - pad) }
    return one('Conv', [g, flip(swapChannels(weight, group), axes)], attributes)
  }
  const extra = kernel.map((_, i) => {
    const covered = (g.shape[i + 2]! - 1) * strides[i]! + reach[i]! + 1 - pads[i]! - pads[i + axes]!
    return x.shape[i + 2]! - covered
  })
  return one('ConvTranspose', [g, weight], { strides, dilations, pads, group, output_padding: extra })
}

/** [outputs, inputs per group, …] as [inputs, outputs per group, …]. */
function swapChannels(weight: Value, group: number): Value {
  const [outputs, inputs, ...kernel] = weight.shape as [number, number, ...number[]]
  const spatial = kernel.map((_, i) => i + 3)
  return weight
    .reshape([group, outputs / group, inputs, ...kernel])
    .transpose([0, 2, 1, ...spatial])
    .reshape([group * inputs, outputs / group, ...kernel])
}

function flip(weight: Value, axes: number): Value {
  const backwards = [-1, -(2 ** 31), -1] as const
  return weight.sliceAxes(
    weight.shape.map((extent, i) => (i >= weight.shape.length - axes && extent > 1 ? backwards : undefined)),
  )
}

/**
 * The weight's gradient: for each tap of the kernel, the product of the upstream gradient with the input shifted to
 * where that tap saw it. A matrix product per tap is faster than the convolution with a large kernel that it equals, and
 * one for each of some parts of the batch is faster than one over all images, whose rows only one thread each would share.
 */
function weightGradient(g: Value, x: Value, weight: Value, { kernel, strides, dilations, pads, group }: Window): Value {
  const [outputs, inputs] = weight.shape as [number, number]
  const images = g.shape[0]!
  const parts = largestDivisor(images, PARTS)
  const stacked = size(kernel) * inputs <= STACKED_ROWS
  const spatial = kernel.map((_, i) => i + 3)
  // With the images last, a tap's view of the padded input is long runs of memory. That is worth a slower transpose of
  // the upstream gradient only where there are many channels to look at.
  const order = stacked ? [0, 2, 1, ...spatial] : [0, 2, ...spatial, 1]
  const first = order.indexOf(3)
  const inParts = (of: Value) => of.reshape([parts, images / parts, ...of.shape.slice(1)]).transpose(order)
  const around = (of: readonly number[]) => order.map((axis) => of[axis - 3] ?? 0)
  const places = (images / parts) * size(g.shape.slice(2))
  const padded = inParts(x).pad([...around(pads.slice(0, kernel.length)), ...around(pads.slice(kernel.length))])
  const upstream = inParts(g).reshape([parts, group, outputs / group, places])
  const shifted = tapsOf(kernel).map((tap) => {
    const seen = padded.sliceAxes([
      ...Array<undefined>(first),
      ...tap.map((k, i) => {
        const start = k * dilations[i]!
        const end = start + (g.shape[i + 2]! - 1) * strides[i]! + 1
        const whole = start === 0 && end === padded.shape[first + i] && strides[i] === 1
        return whole ? undefined : ([start, end, strides[i]!] as const)
      }),
    ])
    return seen.reshape([parts, group, inputs, places])
  })
  const product = (seen: Value) => upstream.matmul(seen.transpose([0, 1, 3, 2])).sum([0])
  const products = stacked
    ? product(concat(shifted, 2)).reshape([outputs, shifted.length, inputs])
    : concat(
        shifted.map((each) => product(each).reshape([outputs, 1, inputs])),
        1,
      )
  return products.transpose([0, 2, 1]).reshape(weight.shape)
}

/** The largest number up to `most` that n can be divided by. */
function largestDivisor(n: number, most: number): number {
  for (let i = Math.min(n, most); i > 1; i--) if (n % i === 0) return i
  return 1
}

/** All axes but that of the channels. */
function perChannel(x: Value): number[] {
  return x.shape.flatMap((_, i) => (i === 1 ? [] : [i]))
}

export const convolution: Rules = {
  Conv: (g, node) => {
    const [x, weight, bias] = inputsOf(node) as [Value, Value, Value?]
    return [inputGradient(g, node), weightGradient(g, x, weight, windowOfNode(node)), bias && g.sum(perChannel(g))]
  },
  /** The transpose of a convolution: its gradients are that convolution, and its weight's with the roles exchanged. */
  ConvTranspose: (g, node) => {
    const [x, weight, bias] = inputsOf(node) as [Value, Value, Value?]
    const window = windowOfNode(node)
    const { kernel: _, ...attributes } = window
    return [one('Conv', [g, weight], attributes), weightGradient(x, g, weight, window), bias && g.sum(perChannel(g))]
  },
}
