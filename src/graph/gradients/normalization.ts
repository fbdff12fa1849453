/** Gradients of normalisation layers. */
import { size } from '../../tensor.ts'
import type { Value } from '../value.ts'
import { inputsOf, type Rules } from './rule.ts'

export const normalization: Rules = {
  /**
   * In training the batch's own mean and variance take part: Ioffe and Szegedy, "Batch Normalization", 2015, section 3.
   * The second and third output are those statistics where momentum is 0, as the builder sets it; otherwise they are
   * computed here.
   */
  BatchNormalization: (g, node) => {
    const [x, scale] = [inputsOf(node)[0]!, inputsOf(node)[1]!]
    const { epsilon = 1e-5, momentum = 0.9, training_mode: training = 0 } = node.attributes as Record<string, number>
    const channels = x.shape[1]!
    const reduced = x.shape.flatMap((_, i) => (i === 1 ? [] : [i]))
    const perChannel = [channels, ...x.shape.slice(2).map(() => 1)]
    const count = size(x.shape) / channels
    const exact = training && momentum === 0
    const mean = exact ? node.outputs[1]! : training ? x.mean(reduced) : inputsOf(node)[3]!
    const variance = exact
      ? node.outputs[2]!
      : training
        ? x.sub(mean.reshape(perChannel)).square().mean(reduced)
        : inputsOf(node)[4]!
    const inverse = variance.add(epsilon).sqrt().reciprocal()
    const shift = g.sum(reduced)
    const slope = g.mul(x).sum(reduced).sub(mean.mul(shift)).mul(inverse)
    const factor = scale.mul(inverse)
    if (!training) return [g.mul(factor.reshape(perChannel)), slope, shift]
    // scale · inverse · (g − mean g − x̂ · mean(g · x̂)), gathered by channel: three constants, two products, two sums.
    const byInput = factor.mul(inverse).mul(slope).div(-count)
    const rest = factor.mul(shift).div(-count).sub(byInput.mul(mean))
    const [a, b, c] = [factor, byInput, rest].map((each) => each.reshape(perChannel)) as [Value, Value, Value]
    return [g.mul(a).add(x.mul(b).add(c)), slope, shift]
  },
}
