/** Gradients of reductions and of running sums. */
import { size } from '../../tensor.ts'
import { apply } from '../value.ts'
import { inputsOf, type Rule, type Rules, restoreAxes } from './rule.ts'

/** To the element that was chosen; equal ones share, as PyTorch's `amax` has it. */
const extreme: Rule = (g, node) => {
  const x = inputsOf(node)[0]!
  const hit = x.equal(restoreAxes(node.outputs[0]!, node)).cast('float32')
  const axes = x.shape.flatMap((_, i) => (restoreAxes(g, node).shape[i] === 1 ? [i] : []))
  return [hit.mul(restoreAxes(g, node).div(hit.sum(axes, true)))]
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
  ArgMax: () => [],
  ArgMin: () => [],
  CumSum: (g, node) => [
    ...apply('CumSum', [g, node.inputs[1]], { ...node.attributes, reverse: node.attributes.reverse ? 0 : 1 }),
  ],
}
