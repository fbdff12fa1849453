/** Gradients of reductions and of running sums. */
import { type Shape, size } from '../../tensor.ts'
import type { Node } from '../node.ts'
import { apply, integers, one } from '../value.ts'
import { at, inputsOf, masked, type Rule, type Rules, restoreAxes } from './rule.ts'

/** To the element that was chosen; equal ones share, as PyTorch's `amax` has it. */
const extreme: Rule = (g, node) => {
  const x = inputsOf(node)[0]!
  const hit = x.equal(restoreAxes(node.outputs[0]!, node)).cast('float32')
  const axes = x.shape.flatMap((_, i) => (restoreAxes(g, node).shape[i] === 1 ? [i] : []))
  return [hit.mul(restoreAxes(g, node).div(hit.sum(axes, true)))]
}

/** The product of the others: the whole over x, or, where x is the only zero, the product without it. */
const product: Rule = (g, node) => {
  const x = inputsOf(node)[0]!
  const axes = reducedAxes(x.shape, node)
  const zero = x.equal(0)
  const rest = one('ReduceProd', [zero.where(1, x), integers(axes)], { keepdims: 1 })
  const zeros = zero.cast('float32').sum(axes, true)
  const others = zero.where(masked(rest, zeros.less(1.5)), masked(rest.div(zero.where(1, x)), zeros.less(0.5)))
  return [restoreAxes(g, node).mul(others)]
}

function reducedAxes(shape: Shape, { inputs }: Node): number[] {
  const axes = inputs[1]?.data
  return axes ? Array.from(axes as ArrayLike<bigint>, (axis) => at(Number(axis), shape.length)) : shape.map((_, i) => i)
}

export const reduction: Rules = {
  ReduceSum: (g, node) => [restoreAxes(g, node).expand(inputsOf(node)[0]!.shape)],
  ReduceMean: (g, node) => {
    const { shape } = inputsOf(node)[0]!
    return [
      restoreAxes(g, node)
        .mul(size(g.shape) / size(shape))
        .expand(shape),
    ]
  },
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceSumSquare: (g, node) => [restoreAxes(g.mul(2), node).mul(inputsOf(node)[0]!)],
  ReduceLogSumExp: (g, node) => {
    const x = inputsOf(node)[0]!
    return [restoreAxes(g, node).mul(x.sub(restoreAxes(node.outputs[0]!, node)).exp())]
  },
  // At zero the norm has no direction; no gradient is what keeps training alive there.
  ReduceL2: (g, node) => {
    const norm = restoreAxes(node.outputs[0]!, node)
    const alive = norm.greater(0)
    return [masked(restoreAxes(g, node).div(alive.where(norm, 1)), alive).mul(inputsOf(node)[0]!)]
  },
  ReduceProd: product,
  ArgMax: () => [],
  ArgMin: () => [],
  CumSum: (g, node) => [
    ...apply('CumSum', [g, node.inputs[1]], { ...node.attributes, reverse: node.attributes.reverse ? 0 : 1 }),
  ],
}
