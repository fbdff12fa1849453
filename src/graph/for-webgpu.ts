/** Graphs as WebGPU computes them right. */
import type { Node } from './node.ts'
import type { Rewrite } from './rewrite.ts'
import { apply, type Value } from './value.ts'

/** Other forms of what it claims and then fails at, or computes wrong: batch normalisation in training, some convolutions. */
export const forWebGpu: Rewrite = (node, inputs) => {
  if (node.operator === 'BatchNormalization' && node.attributes.training_mode === 1) {
    return normalized(node, inputs as Value[])
  }
  if (node.operator === 'Conv' && isMiscomputed(inputs as Value[])) return withMoreChannels(node, inputs as Value[])
  return undefined
}

/**
 * Windows over input channels that can be taken by threes but not by fours, with output channels by fours: the runtime's
 * WebGPU kernel gives something else than the convolution (version 1.30, 3 itself excepted).
 */
function isMiscomputed([x, weight]: readonly Value[]): boolean {
  const [outputs, , ...kernel] = weight!.shape as [number, number, ...number[]]
  const channels = x!.shape[1]!
  const byThrees = channels > 3 && channels % 3 === 0 && channels % 4 !== 0
  return byThrees && outputs % 4 === 0 && kernel.some((extent) => extent > 1) && weight!.shape[1] === channels
}

/** The same with channels of zeros up to a multiple of four. */
function withMoreChannels(node: Node, [x, weight, bias]: readonly Value[]): readonly Value[] {
  const wide = (value: Value) =>
    value.pad([...value.shape.map(() => 0), ...value.shape.map((_, i) => (i === 1 ? more : 0))])
  const more = 4 - (x!.shape[1]! % 4)
  return apply('Conv', [wide(x!), wide(weight!), bias], node.attributes)
}

/** Output and new running mean and variance, as ONNX defines the operator's training mode. */
function normalized({ attributes }: Node, [x, scale, shift, mean, variance]: readonly Value[]): Value[] {
  const { epsilon = 1e-5, momentum = 0.9 } = attributes as Record<string, number>
  const axes = x!.shape.flatMap((_, i) => (i === 1 ? [] : [i]))
  const perChannel = [x!.shape[1]!, ...axes.slice(1).map(() => 1)]
  const ofBatch = x!.mean(axes)
  const centred = x!.sub(ofBatch.reshape(perChannel))
  const spread = centred.square().mean(axes)
  const factor = scale!.div(spread.add(epsilon).sqrt())
  const following = (running: Value, now: Value) =>
    momentum === 0 ? now : running.mul(momentum).add(now.mul(1 - momentum))
  return [
    centred.mul(factor.reshape(perChannel)).add(shift!.reshape(perChannel)),
    following(mean!, ofBatch),
    following(variance!, spread),
  ]
}

/** The nodes that WebGPU claims and then fails at in the form that they have: max pooling that gives indices. */
export function isForCpu({
  operator,
  outputs,
}: {
  readonly operator: string
  readonly outputs: readonly string[]
}): boolean {
  return operator === 'MaxPool' && outputs.length > 1
}
