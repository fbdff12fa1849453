/** The layers that encoders are made of, each with the variables it needs. */

import { apply, one, type Value } from '../graph/value.ts'
import type { Random } from '../random.ts'
import { type Shape, size } from '../tensor.ts'
import type { Mode, Values, Variable, Variables } from './encoder.ts'
import { type Moments, moments, perChannel } from './moments.ts'
import { convolvedAndPooled } from './patches.ts'

/** Batch normalisation as PyTorch sets it: how fast running statistics follow, and what keeps the variance from zero. */
const MOMENTUM = 0.1
const EPSILON = 1e-5

/** With so many channels at most, convolution and pooling are one, over the patches that pooled places see. */
const FEW = 4

/**
 * Weights uniform in ±√(6 / fan-in), which keeps the variance of what passes through a relu: He, Zhang, Ren, Sun,
 * "Delving Deep into Rectifiers", 2015, section 2.2. `shape` is [outputs, …fan-in].
 */
function weights(shape: Shape, { uniforms }: Random): Variable {
  const bound = Math.sqrt(6 / size(shape.slice(1)))
  return {
    dtype: 'float32',
    shape,
    data: uniforms(size(shape), -bound, bound),
    trained: true,
  }
}

function filled(length: number, value: number, trained: boolean): Variable {
  return { dtype: 'float32', shape: [length], data: new Float32Array(length).fill(value), trained }
}

/** Pixels from 0–255 to −1…1. */
export function centred(pixels: Value): Value {
  return pixels.mul(1 / 127.5).sub(1)
}

export function denseVariables(name: string, inputs: number, outputs: number, random: Random): Variables {
  return { [`${name}.weight`]: weights([outputs, inputs], random), [`${name}.bias`]: filled(outputs, 0, true) }
}

/** [n, inputs] → [n, outputs]. */
export function dense(x: Value, name: string, variables: Values): Value {
  return one('Gemm', [x, variables[`${name}.weight`], variables[`${name}.bias`]], { transB: 1 })
}

export function blockVariables(name: string, inputs: number, outputs: number, random: Random): Variables {
  return {
    [`${name}.weight`]: weights([outputs, inputs, 3, 3], random),
    [`${name}.scale`]: filled(outputs, 1, true),
    [`${name}.shift`]: filled(outputs, 0, true),
    [`${name}.runningMean`]: filled(outputs, 0, false),
    [`${name}.runningVariance`]: filled(outputs, 1, false),
  }
}

/**
 * Convolution 3 × 3, batch normalisation, max pooling 2 × 2, relu: [n, inputs, h, w] → [n, outputs, ⌊h/2⌋, ⌊w/2⌋]. Relu
 * comes last because it gives the same result there on a quarter of the elements.
 */
export function block(x: Value, name: string, variables: Values, mode: Mode): { output: Value; state: Values } {
  const { output, state } = mode === 'train' ? pooledInTraining(x, name, variables) : pooledInUse(x, name, variables)
  return { output: output.relu(), state }
}

function convolve(x: Value, weight: Value, bias?: Value): Value {
  return one('Conv', [x, weight, bias], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
}

function pool(x: Value): Value {
  return one('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
}

/**
 * Batch normalisation is a rising line for each channel, or a falling one where its scale is negative, so the largest of a
 * window can be taken before it, if the convolution's weights take over the sign: then a quarter of the elements is
 * normalised. The statistics are still those of all, the running variance the unbiased one, n / (n − 1) of the batch's, as
 * PyTorch has it.
 */
function pooledInTraining(x: Value, name: string, variables: Values): { output: Value; state: Values } {
  const [weight, scale, shift] = ['weight', 'scale', 'shift'].map((each) => variables[`${name}.${each}`]!) as Values3
  const [meanName, varianceName] = [`${name}.runningMean`, `${name}.runningVariance`]
  const [runningMean, runningVariance] = [variables[meanName]!, variables[varianceName]!]
  const sign = scale.greaterEqual(0).cast('float32').mul(2).sub(1)
  const kernels = weight.mul(sign.reshape([-1, 1, 1, 1]))
  const [images, channels, height, width] = x.shape as [number, number, number, number]
  const isEven = height % 2 === 0 && width % 2 === 0
  const { centred, mean, variance } =
    channels <= FEW && isEven ? fromPatches(x, kernels) : fromConvolution(x, kernels, runningMean.mul(sign))
  const factor = scale.mul(sign).div(variance.add(EPSILON).sqrt())
  const count = images * height * width
  return {
    output: centred.mul(perChannel(factor)).add(perChannel(shift)),
    state: {
      [meanName]: runningMean.mul(1 - MOMENTUM).add(mean.mul(sign).mul(MOMENTUM)),
      [varianceName]: runningVariance.mul(1 - MOMENTUM).add(variance.mul((MOMENTUM * count) / (count - 1))),
    },
  }
}

type Values3 = [Value, Value, Value]

/** What is pooled, less the mean of all that it is the largest of, and the moments of that. */
interface Pooled extends Moments {
  readonly centred: Value
}

function fromPatches(x: Value, kernels: Value): Pooled {
  const { pooled, moments } = convolvedAndPooled(x, kernels)
  return { centred: pooled.sub(perChannel(moments.mean)), ...moments }
}

/** @param near about the mean. Without it, squares are summed up near zero, where float32 is exact. */
function fromConvolution(x: Value, kernels: Value, near: Value): Pooled {
  const convolved = convolve(x, kernels, near.neg())
  const { mean, variance } = moments(convolved)
  return { centred: pool(convolved).sub(perChannel(mean)), mean: mean.add(near), variance }
}

/** For use: the running statistics do not change any more, so they become part of the weights and a bias. */
function pooledInUse(x: Value, name: string, variables: Values): { output: Value; state: Values } {
  const factor = variables[`${name}.scale`]!.div(variables[`${name}.runningVariance`]!.add(EPSILON).sqrt())
  const bias = variables[`${name}.shift`]!.sub(variables[`${name}.runningMean`]!.mul(factor))
  const weight = variables[`${name}.weight`]!.mul(factor.reshape([-1, 1, 1, 1]))
  return { output: pool(convolve(x, weight, bias)), state: {} }
}

/**
 * Batch normalisation over all axes but the second: Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 1. The
 * runtime's operator with momentum 0 hands out the batch's own mean and variance; the running ones follow as PyTorch has
 * it, the variance being the unbiased one, n / (n − 1) of the batch's.
 *
 * @returns with the new running statistics.
 */
export function batchNormalized(
  x: Value,
  scale: Value,
  shift: Value,
  running: { readonly mean: Value; readonly variance: Value },
  { momentum, epsilon }: { readonly momentum: number; readonly epsilon: number },
): { output: Value; mean: Value; variance: Value } {
  // In training mode the runtime writes the batch's statistics over these two inputs, even where they are fed or used by
  // other nodes. So it gets values that nobody else reads, and not one value twice.
  const [output, mean, variance] = apply(
    'BatchNormalization',
    [x, scale, shift, running.mean.abs(), running.variance.abs()],
    { epsilon, momentum: 0, training_mode: 1 },
  )
  const count = size(x.shape) / x.shape[1]!
  return {
    output: output!,
    mean: running.mean.mul(1 - momentum).add(mean!.mul(momentum)),
    variance: running.variance.mul(1 - momentum).add(variance!.mul((momentum * count) / (count - 1))),
  }
}
