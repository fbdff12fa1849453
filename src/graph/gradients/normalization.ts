/** Gradients of normalisation layers. */
import { size } from '../../tensor.ts'
import type { Node } from '../node.ts'
import type { Value } from '../value.ts'
import { at, inputsOf, masked, type Rule, type Rules, unbroadcast } from './rule.ts'

function axisOf({ attributes }: Node, { shape }: Value): number {
  return at((attributes.axis as number | undefined) ?? -1, shape.length)
}

/**
 * For y = x̂ · scale + bias, x̂ = (x − mean)/σ: Ba, Kiros, Hinton, "Layer Normalization", 2016. With h = g · scale the gradient is
 * (h − mean h − x̂ · mean(h · x̂))/σ. Means over rows are products with the scale, so that h is never formed for them; mean and
 * 1/σ are the second and third output, whose own gradients join what is taken off x − mean and off all alike.
 */
const layerNormalization: Rule = (g, node, [, byMean, byInverse]) => {
  const [x, scale, bias] = node.inputs as [Value, Value, Value | undefined]
  const { axis = -1 } = node.attributes as Record<string, number>
  const start = at(axis, x.shape.length)
  const [rows, width] = [size(x.shape.slice(0, start)), size(x.shape.slice(start))]
  const column = scale.expand(x.shape.slice(start)).reshape([width, 1])
  const perRow = (value: Value | undefined) => value?.reshape([rows, 1])
  const [mean, inverse] = node.outputs.slice(1).map(perRow) as [Value, Value]
  const centred = x.reshape([rows, width]).sub(mean)
  const slope = g.reshape([rows, width]).mul(inverse)
  const along = slope.mul(centred)
  const join = (a: Value, b: Value | undefined) => (b ? a.add(b) : a)
  const offCentred = join(along.matmul(column), perRow(byInverse)?.mul(inverse)).mul(inverse.square()).div(width)
  const offAll = join(slope.matmul(column), perRow(byMean)?.neg()).div(width)
  const byInput = slope.mul(column.reshape([width])).sub(centred.mul(offCentred).add(offAll))
  return [
    byInput.reshape(x.shape),
    unbroadcast(along.reshape(x.shape), scale.shape),
    bias && unbroadcast(g, bias.shape),
  ]
}

/** As layer normalisation, over the places of each channel of each example. */
const instanceNormalization: Rule = (g, node) => {
  const [x, scale] = inputsOf(node) as [Value, Value]
  const { epsilon = 1e-5 } = node.attributes as Record<string, number>
  const axes = x.shape.flatMap((_, i) => (i >= 2 ? [i] : []))
  const centred = x.sub(x.mean(axes, true))
  const inverse = centred.square().mean(axes, true).add(epsilon).sqrt().reciprocal()
  const normal = centred.mul(inverse)
  const h = g.mul(scale.reshape([x.shape[1]!, ...axes.map(() => 1)]))
  const byInput = h.sub(h.mean(axes, true)).sub(normal.mul(h.mul(normal).mean(axes, true)))
  const others = [0, ...axes]
  return [byInput.mul(inverse), g.mul(normal).sum(others), g.sum(others)]
}

/** x over its norm; a zero vector stays zero, and no gradient flows through it. */
const lpNormalization: Rule = (g, node) => {
  const x = inputsOf(node)[0]!
  const { axis = -1, p = 2 } = node.attributes as Record<string, number>
  const axes = [at(axis, x.shape.length)]
  const y = node.outputs[0]!
  const norm = p === 1 ? x.abs().sum(axes, true) : x.sumSquare(axes, true).sqrt()
  const outwards = p === 1 ? x.greater(0).cast('float32').sub(x.less(0).cast('float32')) : y
  const slope = g.sub(outwards.mul(g.mul(y).sum(axes, true)))
  const alive = norm.greater(0)
  return [masked(slope.div(alive.where(norm, 1)), alive)]
}

export const normalization: Rules = {
  Softmax: (g, node) => {
    const y = node.outputs[0]!
    return [y.mul(g.sub(g.mul(y).sum([axisOf(node, y)], true)))]
  },
  LogSoftmax: (g, node) => {
    const y = node.outputs[0]!
    return [g.sub(y.exp().mul(g.sum([axisOf(node, y)], true)))]
  },
  LpNormalization: lpNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  /**
   * In training the batch's own mean and variance take part: Ioffe and Szegedy, "Batch Normalization", 2015, section 3.
   * The second and third output are those statistics where momentum is 0, as the builder sets it; otherwise they are
   * computed here. Their own gradients join what all numbers of a channel get, and what x is multiplied with.
   */
  BatchNormalization: (g, node, [, byMean, byVariance]) => {
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
    const share = (1 - momentum) / count
    const join = (a: Value, b: Value | undefined, times: number) => (b ? a.add(b.mul(times)) : a)
    const byInput = join(factor.mul(inverse).mul(slope).div(-count), byVariance, 2 * share)
    const rest = join(factor.mul(shift).div(-count).sub(byInput.mul(mean)), byMean, share)
    const [a, b, c] = [factor, byInput, rest].map((each) => each.reshape(perChannel)) as [Value, Value, Value]
    return [g.mul(a).add(x.mul(b).add(c)), slope, shift]
  },
}
