/** Classification by angle with a margin: ArcFace, CosFace, sub-centre ArcFace, and the normalised softmax without one. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { unit } from '../metrics/unit.ts'
import { checkCount, checkPositive } from '../settings.ts'
import { onlyFor } from './checks.ts'
import { crossEntropy, fromClasses, ofOwn, replaced } from './from-classes.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'
import { sineOf } from './rows.ts'

interface ClassOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  readonly reduce?: Reducer
}

/** The cosine of each embedding to each row of weights. */
export function cosines(embeddings: Value, weights: Value): Value {
  return cosine.matrix(embeddings, weights).neg().add(1)
}

/** The same for each of the centres of every class, [n, classes] each: reducing over a short axis is slow. */
export function cosinesByCenter(embeddings: Value, weights: Value, perClass: number): Value[] {
  if (perClass === 1) return [cosines(embeddings, weights)]
  const [rows, d] = weights.shape as [number, number]
  const centers = weights.reshape([rows / perClass, perClass, d])
  return Array.from({ length: perClass }, (_, k) => cosines(embeddings, centers.slice(1, k, k + 1).squeeze([1])))
}

/** cos(θ + margin) of cos θ, and beyond 180° − margin its tangent-like continuation cos θ − margin sin margin. */
function wider(near: Value, angle: number): Value {
  const sum = near.mul(Math.cos(angle)).sub(sineOf(near).mul(Math.sin(angle)))
  return near.greaterEqual(-Math.cos(angle)).where(sum, near.sub(angle * Math.sin(angle)))
}

function radians(degrees: number): number {
  if (degrees >= 0 && degrees < 180) return (degrees * Math.PI) / 180
  throw new UsageError(`The margin is ${degrees}°; expected 0 to less than 180. 28.6° (half a radian) is usual.`)
}

export interface ArcfaceOptions extends ClassOptions {
  /** m in degrees, from 0 to less than 180; 28.6 if left out. */
  readonly margin?: number
  /** s > 0; 64 if left out. */
  readonly scale?: number
}

/**
 * ArcFace: the softmax over cosines to class weights, with a margin added to the angle of the own class.
 *
 *   L = −log( exp(s cos(θ_y + m)) / (exp(s cos(θ_y + m)) + Σ_{j ≠ y} exp(s cos θⱼ)) )
 *
 * Deng, Guo, Xue, Zafeiriou, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", 2019, eq. 3; where θ + m
 * exceeds 180°, cos θ − m sin m.
 *
 * @throws UsageError if the metric is not cosine or a setting is out of range.
 */
export function arcface({ metric = cosine, margin = 28.6, scale = 64, reduce = mean }: ArcfaceOptions = {}): Loss {
  return withAngle('arcface', { metric, margin, scale, reduce }, 1)
}

export interface SubCenterArcfaceOptions extends ArcfaceOptions {
  /** How many centres a class has; 3 if left out. */
  readonly subCenters?: number
}

/**
 * Sub-centre ArcFace: several weights for each class, of which the nearest counts, so that wrong labels gather at one of them.
 *
 * Deng, Guo, Liu, Gong, Zafeiriou, "Sub-center ArcFace: Boosting Face Recognition by Large-scale Noisy Web Faces", 2020, eq. 3.
 *
 * @throws UsageError if the metric is not cosine or a setting is out of range.
 */
export function subCenterArcface({
  metric = cosine,
  margin = 28.6,
  scale = 64,
  subCenters = 3,
  reduce = mean,
}: SubCenterArcfaceOptions = {}): Loss {
  checkCount({ subCenters })
  return withAngle('subCenterArcface', { metric, margin, scale, reduce }, subCenters)
}

function withAngle(
  name: string,
  { metric, margin, scale, reduce }: Required<ArcfaceOptions>,
  subCenters: number,
): Loss {
  onlyFor(metric, cosine, name)
  checkPositive({ scale })
  const angle = radians(margin)
  return fromClasses({
    name,
    metric,
    settings: { margin, scale, ...(subCenters > 1 && { subCenters }) },
    reduce,
    perClass: subCenters,
    formula({ embeddings, weights, own }) {
      const near = cosinesByCenter(embeddings, weights, subCenters).reduce((most, each) => most.maximum(each))
      return crossEntropy(replaced(near, own, wider(ofOwn(near, own), angle)).mul(scale), own)
    },
  })
}

export interface CosfaceOptions extends ClassOptions {
  /** m, a difference of cosines, from 0 to 2; 0.35 if left out. */
  readonly margin?: number
  /** s > 0; 64 if left out. */
  readonly scale?: number
}

/**
 * CosFace: the softmax over cosines to class weights, with a margin taken off the cosine of the own class.
 *
 *   L = −log( exp(s (cos θ_y − m)) / (exp(s (cos θ_y − m)) + Σ_{j ≠ y} exp(s cos θⱼ)) )
 *
 * Wang and others, "CosFace: Large Margin Cosine Loss for Deep Face Recognition", 2018, eq. 4.
 *
 * @throws UsageError if the metric is not cosine or a setting is out of range.
 */
export function cosface({ metric = cosine, margin = 0.35, scale = 64, reduce = mean }: CosfaceOptions = {}): Loss {
  onlyFor(metric, cosine, 'cosface')
  checkPositive({ scale })
  if (!(margin >= 0 && margin <= 2)) throw new UsageError(`The margin is ${margin}; expected 0 to 2.`)
  return fromClasses({
    name: 'cosface',
    metric,
    settings: { margin, scale },
    reduce,
    formula({ embeddings, weights, own }) {
      const near = cosines(embeddings, weights)
      return crossEntropy(near.sub(own.cast('float32').mul(margin)).mul(scale), own)
    },
  })
}

export interface NormalizedSoftmaxOptions extends ClassOptions {
  /** τ > 0; 0.05 if left out. */
  readonly temperature?: number
}

/**
 * Normalised softmax: the softmax over cosines to class weights.
 *
 *   L = −log( exp(cos θ_y / τ) / Σⱼ exp(cos θⱼ / τ) )
 *
 * Zhai and Wu, "Classification is a Strong Baseline for Deep Metric Learning", 2019, eq. 4.
 *
 * @throws UsageError if the metric is not cosine or τ is not above 0.
 */
export function normalizedSoftmax({
  metric = cosine,
  temperature = 0.05,
  reduce = mean,
}: NormalizedSoftmaxOptions = {}): Loss {
  onlyFor(metric, cosine, 'normalizedSoftmax')
  checkPositive({ temperature })
  return fromClasses({
    name: 'normalizedSoftmax',
    metric,
    settings: { temperature },
    reduce,
    formula: ({ embeddings, weights, own }) => crossEntropy(cosines(embeddings, weights).div(temperature), own),
  })
}

export interface P2sGradOptions extends ClassOptions {}

/**
 * P2SGrad: the squared error of the cosines to class weights, 1 for the own class and 0 for the others, the mean over classes.
 * Weights count at length 1, and their gradient is that with respect to the vectors of length 1, as the reference has it.
 *
 * Zhang and others, "P2SGrad: Refined Gradients for Optimizing Deep Face Models", 2019, whose gradient (eq. 11) is that of this.
 *
 * @throws UsageError if the metric is not cosine.
 */
export function p2sGrad({ metric = cosine, reduce = mean }: P2sGradOptions = {}): Loss {
  onlyFor(metric, cosine, 'p2sGrad')
  return fromClasses({
    name: 'p2sGrad',
    metric,
    settings: {},
    reduce,
    formula({ embeddings, weights, own }) {
      const directions = unit(weights).withGradient({ inputs: [weights], rule: (upstream) => [upstream] })
      return unit(embeddings).matmul(directions.transpose()).sub(own.cast('float32')).square().mean([1])
    },
  })
}
