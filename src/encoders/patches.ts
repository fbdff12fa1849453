/** Convolution 3 × 3 and max pooling 2 × 2 at once, for images of few channels. */
import { concat, type Value } from '../graph/value.ts'
import type { Moments } from './moments.ts'

const SIDE = 4
/** Where in a patch the kernel lies for each of the four places that are pooled. */
const CORNERS = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const

/**
 * A pooled place sees a patch of 4 × 4 pixels, in which the kernel lies at four corners. So what is pooled are four
 * products of the patches, in four matrices: the largest of them, and its gradient, go number by number. A convolution
 * leaves the four side by side in its rows, where the gradient needs enlarged copies of the pooled image to find the largest.
 *
 * What a channel gives at a corner is w · t with its kernel w and a patch t: its mean there is w · mean t, and its
 * variance wᵀ C w with the covariance C of the patches. So the moments of all that the convolution would give come from a
 * matrix of 16 × 16 for one channel, and neither pass goes over all those numbers.
 *
 * @param x [n, inputs, h, w], h and w even; zeros lie around it.
 * @param kernels [outputs, inputs, 3, 3]
 * @returns pooled [n, outputs, h/2, w/2], and the moments of what is pooled.
 */
export function convolvedAndPooled(x: Value, kernels: Value): { pooled: Value; moments: Moments } {
  const [images, inputs, height, width] = x.shape as [number, number, number, number]
  const outputs = kernels.shape[0]!
  const places = (height / 2) * (width / 2)
  const patches = patchesOf(x)
  const weights = CORNERS.map(([i, j]) => {
    const around = [0, 0, i, j, 0, 0, SIDE - 3 - i, SIDE - 3 - j]
    return kernels.pad(around).reshape([outputs, inputs * SIDE ** 2])
  })
  const [a, b, c, d] = weights.map((each) => each.matmul(patches)) as [Value, Value, Value, Value]
  return {
    pooled: larger(larger(a, b), larger(c, d)).reshape([images, outputs, height / 2, width / 2]),
    moments: momentsOf(patches, weights, images * places),
  }
}

/** [n, inputs · 16, places]: each channel's patches, pixel by pixel. */
function patchesOf(x: Value): Value {
  const [images, inputs, height, width] = x.shape as [number, number, number, number]
  const places = (height / 2) * (width / 2)
  const padded = x.pad([0, 0, 1, 1, 0, 0, 1, 1])
  const pixels = Array.from({ length: SIDE ** 2 }, (_, k) => {
    const [i, j] = [Math.floor(k / SIDE), k % SIDE]
    const seen = padded.sliceAxes([undefined, undefined, [i, i + height - 1, 2], [j, j + width - 1, 2]])
    return seen.reshape([images, inputs, 1, places])
  })
  return concat(pixels, 2).reshape([images, inputs * SIDE ** 2, places])
}

/** The larger of each two; of equal ones the first takes the gradient, as in PyTorch's pooling. */
function larger(a: Value, b: Value): Value {
  return a.maximum(b).withGradient({
    inputs: [a, b],
    rule(g) {
      const ofSecond = g.mul(b.sub(a).greater(0).cast('float32'))
      return [g.sub(ofSecond), ofSecond]
    },
  })
}

/** Within each corner, and between the corners. */
function momentsOf(patches: Value, weights: readonly Value[], count: number): Moments {
  const average = patches.mean([0, 2], true).squeeze([0])
  const centred = patches.sub(average)
  const covariance = centred
    .matmul(centred.transpose([0, 2, 1]))
    .sum([0])
    .mul(1 / count)
  const means = concat(
    weights.map((each) => each.matmul(average)),
    1,
  )
  const within = weights.map((each) => each.matmul(covariance).mul(each).sum([1], true).relu())
  const mean = means.mean([1], true)
  return {
    mean: mean.squeeze([1]),
    variance: concat(within, 1)
      .mean([1])
      .add(means.sub(mean).square().mean([1])),
  }
}
