/** The gradient of resampling. An axis at a time it is linear, so that it goes back by the transpose of what it came by. */
import { size } from '../../tensor.ts'
import type { Node } from '../node.ts'
import { type Resized, resizedAxes } from '../operators/resize.ts'
import { constant, integers, one, type Value } from '../value.ts'
import { inputsOf, type Rule } from './rule.ts'

export const resize: Rule = (g, node) => {
  const x = inputsOf(node)[0]!
  const axes = resizedAxes(node.inputs, node.attributes)
  const kernel = axes.slice(2).map(({ factor }) => factor)
  if (isRepetition(node) && axes.slice(0, 2).every(({ factor }) => factor === 1) && kernel.every(Number.isInteger)) {
    return [one('AveragePool', [g], { kernel_shape: kernel, strides: kernel }).mul(size(kernel))]
  }
  return [axes.reduce((gradient, resized, axis) => backAlong(gradient, axis, x.shape[axis]!, resized, node), g)]
}

/** By a whole factor, each element stands so many times behind each other. */
function isRepetition({ attributes, inputs }: Node): boolean {
  const { mode = 'nearest', nearest_mode: rounding, coordinate_transformation_mode: coordinates } = attributes
  return mode === 'nearest' && rounding === 'floor' && coordinates === 'asymmetric' && inputs[0]!.shape.length > 2
}

function backAlong(g: Value, axis: number, before: number, { extent, factor, isSize }: Resized, node: Node): Value {
  if (extent === before && factor === 1) return g
  // What the runtime itself makes of each element alone: no rounding of places can differ.
  const { axes: _, ...attributes } = node.attributes
  const each = constant(
    'float32',
    [1, 1, before, before],
    Array.from({ length: before ** 2 }, (_, i) => Number(i % (before + 1) === 0)),
  )
  const scales = isSize ? undefined : constant('float32', [4], [1, 1, 1, factor])
  const sizes = isSize ? integers([1, 1, before, extent]) : undefined
  const made = one('Resize', [each, undefined, scales, sizes], attributes).reshape([before, extent])
  const [front, behind] = [g.shape.slice(0, axis), g.shape.slice(axis + 1)]
  const lines = g.reshape([size(front), extent, size(behind)])
  return made.matmul(lines).reshape([...front, before, ...behind])
}
