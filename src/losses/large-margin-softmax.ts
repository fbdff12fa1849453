/** Classification with a multiplied angle: the large-margin softmax, SphereFace, and the instance loss without a margin. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { dot } from '../metrics/dot.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { checkPositive } from '../settings.ts'
import { onlyFor } from './checks.ts'
import { crossEntropy, fromClasses, ofOwn, replaced } from './from-classes.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'
import { cosines } from './softmax-margin.ts'

export interface LargeMarginSoftmaxOptions {
  readonly metric?: Metric
  /** m, what the angle of the own class is multiplied with: a whole number from 1 to 8; 4 if left out. */
  readonly margin?: number
  /** What logits are multiplied with, above 0; 1 if left out. */
  readonly scale?: number
  readonly reduce?: Reducer
}

/** The largest margin: polynomials of higher degrees lose what float32 holds. */
const MOST = 8

/** cos mθ of cos θ: Chebyshev's polynomials of the first kind, Tₖ₊₁ = 2x Tₖ − Tₖ₋₁. */
function multiplied(near: Value, times: number): Value {
  let [before, now] = [near.mul(0).add(1), near]
  for (let k = 1; k < times; k++) [before, now] = [now, near.mul(now).mul(2).sub(before)]
  return now
}

/** (−1)ᵏ cos mθ − 2k for θ from kπ/m to (k + 1)π/m: cos mθ, continued so that it falls all the way. */
function falling(near: Value, times: number): Value {
  const passed = Array.from({ length: times - 1 }, (_, k) =>
    near
      .detach()
      .lessEqual(Math.cos(((k + 1) * Math.PI) / times))
      .cast('float32'),
  )
  const curve = multiplied(near, times)
  const signed = passed.reduce((value, each) => value.mul(each.mul(-2).add(1)), curve)
  return passed.reduce((value, each) => value.sub(each.mul(2)), signed)
}

function length(rows: Value): Value {
  return rows.sumSquare([1]).sqrt()
}

/**
 * Large-margin softmax: the softmax over inner products with class weights, with the angle of the own class multiplied.
 *
 *   zⱼ = |wⱼ| |x| cos θⱼ, and for the own class |w| |x| ((−1)ᵏ cos mθ − 2k), θ from kπ/m to (k + 1)π/m
 *
 * Liu, Wen, Yu, Yang, "Large-Margin Softmax Loss for Convolutional Neural Networks", 2016, eq. 4 to 6. The metric is `dot`.
 *
 * @throws UsageError if the metric is not dot or a setting is out of range.
 */
export function largeMarginSoftmax({ metric = dot, ...options }: LargeMarginSoftmaxOptions = {}): Loss {
  onlyFor(metric, dot, 'largeMarginSoftmax')
  return withFactor('largeMarginSoftmax', metric, options, (embeddings, weights) =>
    length(embeddings)
      .unsqueeze([1])
      .mul(length(weights).unsqueeze([0])),
  )
}

/**
 * SphereFace: the large-margin softmax with class weights at length 1.
 *
 * Liu, Wen, Yu, Li, Raj, Song, "SphereFace: Deep Hypersphere Embedding for Face Recognition", 2017, eq. 7. The metric is
 * `cosine`: lengths tell how sure an embedding is, and are not compared.
 *
 * @throws UsageError if the metric is not cosine or a setting is out of range.
 */
export function sphereface({ metric = cosine, ...options }: LargeMarginSoftmaxOptions = {}): Loss {
  onlyFor(metric, cosine, 'sphereface')
  return withFactor('sphereface', metric, options, (embeddings) => length(embeddings).unsqueeze([1]))
}

function withFactor(
  name: string,
  metric: Metric,
  { margin = 4, scale = 1, reduce = mean }: Omit<LargeMarginSoftmaxOptions, 'metric'>,
  factor: (embeddings: Value, weights: Value) => Value,
): Loss {
  if (!Number.isInteger(margin) || margin < 1 || margin > MOST) {
    throw new UsageError(`The margin is ${margin}; expected a whole number from 1 to ${MOST}.`)
  }
  checkPositive({ scale })
  return fromClasses({
    name,
    metric,
    settings: { margin, scale },
    reduce,
    formula({ embeddings, weights, own }) {
      const near = cosines(embeddings, weights)
      const logits = replaced(near, own, falling(ofOwn(near, own), margin))
      return crossEntropy(logits.mul(factor(embeddings, weights)).mul(scale), own)
    },
  })
}

export interface InstanceOptions {
  /** Only `dot` fits. */
  readonly metric?: Metric
  /** What inner products are multiplied with, above 0; 1 if left out. */
  readonly scale?: number
  readonly reduce?: Reducer
}

/**
 * Instance loss: the softmax over inner products with the weights of instances, each label being an instance of its own.
 *
 *   L = −log( exp(s wᵧᵀx) / Σⱼ exp(s wⱼᵀx) )
 *
 * Zheng, Zheng, Garrett, Yang, Xu, Shen, "Dual-Path Convolutional Image-Text Embeddings with Instance Loss", 2020, eq. 3.
 *
 * @throws UsageError if the metric is not dot or the scale is not above 0.
 */
export function instance({ metric = dot, scale = 1, reduce = mean }: InstanceOptions = {}): Loss {
  onlyFor(metric, dot, 'instance')
  checkPositive({ scale })
  return fromClasses({
    name: 'instance',
    metric,
    settings: { scale },
    reduce,
    formula: ({ embeddings, weights, own }) => crossEntropy(dot.matrix(embeddings, weights).mul(-scale), own),
  })
}
