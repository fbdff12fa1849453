/** Gradients of the operators that move elements: the same move, backwards. */
import { padsOf, resolveSlice } from '../operators/movement.ts'
import { concat as joined, one, type Value } from '../value.ts'
import { at, inputsOf, type Rule, type Rules, unbroadcast, zeros } from './rule.ts'
import { scatterLines } from './scatter.ts'

const reshapeBack: Rule = (g, node) => [g.reshape(inputsOf(node)[0]!.shape)]

const concat: Rule = (g, node) => {
  const axis = at(node.attributes.axis as number, g.shape.length)
  let start = 0
  return inputsOf(node).map((part) => {
    const end = start + part.shape[axis]!
    const gradient = g.slice(axis, start, end)
    start = end
    return gradient
  })
}

const numbers = (value: Value | undefined) => value && Array.from(value.data as ArrayLike<number | bigint>, Number)

const slice: Rule = (g, node) => {
  const x = inputsOf(node)[0]!
  const [starts, ends] = [numbers(node.inputs[1])!, numbers(node.inputs[2])!]
  const axes = (numbers(node.inputs[3]) ?? starts.map((_, i) => i)).map((axis) => at(axis, x.shape.length))
  const taken = axes.map((axis, i) =>
    resolveSlice(starts[i]!, ends[i]!, numbers(node.inputs[4])?.[i] ?? 1, x.shape[axis]!),
  )
  if (taken.every(({ step }) => step === 1)) {
    const pads = Array<number>(2 * x.shape.length).fill(0)
    axes.forEach((axis, i) => {
      const { start, count } = taken[i]!
      pads[axis] = start
      pads[axis + x.shape.length] = x.shape[axis]! - start - count
    })
    return [g.pad(pads)]
  }
  // With a step, what lies between gets nothing: put back axis by axis.
  return [
    axes.reduceRight((gradient, axis, i) => {
      const { start, step, count } = taken[i]!
      const shape = gradient.shape.with(axis, x.shape[axis]!)
      const lines = Array.from({ length: count }, (_, k) => start + k * step)
      return scatterLines(zeros(shape, g), lines, gradient, axis)
    }, g),
  ]
}

/** Which element of an axis stands at a place beside it, by the mode of Pad. */
const sources: Readonly<Record<string, (place: number, extent: number) => number>> = {
  edge: (place, extent) => Math.min(Math.max(place, 0), extent - 1),
  wrap: (place, extent) => ((place % extent) + extent) % extent,
  reflect(place, extent) {
    const period = Math.max(2 * (extent - 1), 1)
    const inside = Math.abs(place) % period
    return Math.min(inside, period - inside)
  },
}

/** What was repeated before and after the elements of an axis, added to where it came from. */
function foldBack(
  g: Value,
  axis: number,
  [before, after]: readonly [number, number],
  source: (place: number, extent: number) => number,
): Value {
  const places = g.shape[axis]!
  const extent = places - before - after
  const repeated = [
    [0, before],
    [places - after, places],
  ].filter(([start, end]) => end! > start!) as [number, number][]
  if (repeated.length === 0) return g
  const lines = repeated.flatMap(([start, end]) =>
    Array.from({ length: end - start }, (_, i) => source(start + i - before, extent)),
  )
  const parts = repeated.map(([start, end]) => g.slice(axis, start, end))
  return scatterLines(g.slice(axis, before, before + extent), lines, joined(parts, axis), axis)
}

export const movement: Rules = {
  Transpose: (g, node) => {
    const perm = node.attributes.perm as readonly number[]
    return [g.transpose(perm.map((_, i) => perm.indexOf(i)))]
  },
  Reshape: reshapeBack,
  Flatten: reshapeBack,
  Unsqueeze: reshapeBack,
  Squeeze: reshapeBack,
  Expand: (g, node) => [unbroadcast(g, inputsOf(node)[0]!.shape)],
  Concat: concat,
  Slice: slice,
  Tile: (g, node) => {
    const { shape } = inputsOf(node)[0]!
    const repeats = numbers(node.inputs[1])!
    const apart = g.reshape(shape.flatMap((extent, i) => [repeats[i]!, extent]))
    return [apart.sum(shape.map((_, i) => 2 * i))]
  },
  Split: (g, node, gradients) => {
    const axis = (node.attributes.axis as number | undefined) ?? 0
    const parts = node.outputs.map((output, i) => gradients[i] ?? zeros(output.shape, g))
    return [joined(parts, axis)]
  },
  Trilu: (g, node) => [one('Trilu', [g, node.inputs[1]], node.attributes)],
  Pad: (g, node) => {
    const x = inputsOf(node)[0]!
    const pads = padsOf(node.inputs)
    const rank = x.shape.length
    const source = sources[(node.attributes.mode as string | undefined) ?? 'constant']
    if (!source) return [g.pad(pads.map((each) => -each)).reshape(x.shape)]
    // What is cropped is gone before anything is repeated.
    const folded = x.shape.reduce((gradient, _, axis) => {
      const around = [pads[axis]!, pads[axis + rank]!].map((each) => Math.max(each, 0)) as [number, number]
      return foldBack(gradient, axis, around, source)
    }, g)
    return [folded.pad(pads.map((each) => Math.max(-each, 0)))]
  },
}
