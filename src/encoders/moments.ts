/** The mean and the variance of a batch, channel by channel. */

import { concat, one, type Value } from '../graph/value.ts'
import { size } from '../tensor.ts'

/** [channels] each; the variance is the population's. */
export interface Moments {
  readonly mean: Value
  readonly variance: Value
}

/** [channels] as it is broadcast over images. */
export function perChannel(x: Value): Value {
  return x.reshape([-1, 1, 1])
}

/**
 * Mean and variance over all axes but the second. Their gradients come as one: (2x − 2 mean) of the variance's and 1 of the
 * mean's, over n, is a product and a sum on x.
 */
export function moments(x: Value): Moments {
  const channels = x.shape[1]!
  const axes = x.shape.flatMap((_, i) => (i === 1 ? [] : [i]))
  const count = size(x.shape) / channels
  const both = concat([x.sum(axes), x.sumSquare(axes)], 0)
    .mul(1 / count)
    .withGradient({
      inputs: [x],
      rule(g) {
        const [ofMean, ofSquare] = [g.slice(0, 0, channels), g.slice(0, channels, 2 * channels)]
        return [x.mul(perChannel(ofSquare.mul(2 / count))).add(perChannel(ofMean.mul(1 / count)))]
      },
    })
  const [mean, square] = [both.slice(0, 0, channels), both.slice(0, channels, 2 * channels)]
  return { mean, variance: square.sub(mean.square()).relu() }
}

/**
 * The moments of x convolved with 3 × 3 kernels of stride 1, zeros around. What a channel gives is w · t + b with its
 * kernel w and what its window sees, t: its mean is w · mean t + b and its variance wᵀ C w with the covariance C of t. Where
 * there are few channels, C is a small matrix, and neither pass goes over all that the convolution gives.
 *
 * @param kernels [outputs, inputs, 3, 3]
 */
export function momentsByInput(x: Value, kernels: Value, bias: Value): Moments {
  const [images, inputs, height, width] = x.shape as [number, number, number, number]
  const outputs = kernels.shape[0]!
  const padded = x.transpose([1, 0, 2, 3]).pad([0, 0, 1, 1, 0, 0, 1, 1])
  const places = images * height * width
  const seen = [0, 1, 2].flatMap((i) =>
    [0, 1, 2].map((j) => {
      return padded.sliceAxes([undefined, undefined, [i, i + height, 1], [j, j + width, 1]]).reshape([inputs, places])
    }),
  )
  // By tap and channel, as windows come.
  const windows = concat(seen, 0)
  const weights = kernels
    .reshape([outputs, inputs, 9])
    .transpose([0, 2, 1])
    .reshape([outputs, 9 * inputs])
  const average = windows.mean([1], true)
  const centred = windows.sub(average)
  const covariance = one('Gemm', [centred, centred], { transB: 1, alpha: 1 / places })
  return {
    mean: weights.matmul(average).reshape([outputs]).add(bias),
    variance: weights.matmul(covariance).mul(weights).sum([1]).relu(),
  }
}
