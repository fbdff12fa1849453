/** The mean and the variance of a batch, channel by channel. */

import { concat, type Value } from '../graph/value.ts'
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
