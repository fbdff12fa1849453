/** What a gradient rule is, and what several of them need. */
import { type DType, type Shape, sameShape, size } from '../../tensor.ts'
import type { Node } from '../node.ts'
import { scalar, type Value } from '../value.ts'

/**
 * How the gradient of a node's first output flows to its inputs: one value for each input that has a gradient,
 * `undefined` for the others. Operators with several outputs that have gradients find all of them in `gradients`. A rule
 * builds more graph, so that gradients can be differentiated too.
 */
export type Rule = (
  upstream: Value,
  node: Node,
  gradients: readonly (Value | undefined)[],
) => readonly (Value | undefined)[]

export type Rules = Readonly<Record<string, Rule>>

/** Inputs that a rule's operator always has. */
export function inputsOf(node: Node): readonly Value[] {
  return node.inputs as readonly Value[]
}

type Numbers = Readonly<Record<string, number>>

/** A rule for y = f(x), from the derivative at x, where y and the attributes are at hand. */
export function unary(derivative: (x: Value, y: Value, attributes: Numbers) => Value): Rule {
  return (g, node) => [g.mul(derivative(inputsOf(node)[0]!, node.outputs[0]!, node.attributes as Numbers))]
}

/** The gradient of an operand that was broadcast: summed over the axes on which it was repeated. */
export function unbroadcast(gradient: Value, shape: Shape): Value {
  const lead = gradient.shape.length - shape.length
  const axes = gradient.shape.flatMap((extent, i) => (i < lead || (shape[i - lead] === 1 && extent !== 1) ? [i] : []))
  const summed = axes.length === 0 ? gradient : gradient.sum(axes, !axes.every((axis) => axis < lead))
  return sameShape(summed.shape, shape) ? summed : summed.reshape(shape)
}

/**
 * Zeros that the runtime makes when it runs. Zeros written as a constant would be folded into the session at their full
 * size and kept, so they hang on an element of a value that only a run knows.
 */
export function zeros(shape: Shape, known: Value, dtype: DType = 'float32'): Value {
  if (size(known.shape) === 0) return scalar(0, dtype).expand(shape)
  const element = known.reshape([-1]).slice(0, 0, 1).cast('float32')
  const zero = element.greater(Number.POSITIVE_INFINITY).cast(dtype)
  return shape.length === 0 ? zero.squeeze([0]) : zero.expand(shape)
}

/** What was reduced away by keepdims = 0, back as axes of extent 1. */
export function restoreAxes(reduced: Value, node: Node): Value {
  const x = inputsOf(node)[0]!
  const axes = node.inputs[1]?.data
  const all = axes === undefined
  const removed = new Set(Array.from((axes ?? []) as ArrayLike<bigint>, (axis) => at(Number(axis), x.shape.length)))
  return reduced.reshape(x.shape.map((extent, i) => (all || removed.has(i) ? 1 : extent)))
}

/** An axis counted from the front. */
export function at(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

/** 0 where a condition does not hold, the value where it does. */
export function masked(value: Value, condition: Value): Value {
  return condition.where(value, scalar(0, value.dtype))
}
