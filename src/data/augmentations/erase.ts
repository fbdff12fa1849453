/** A rectangle of each image wiped out. */
import { constant, type Value } from '../../graph/value.ts'
import { type Augmentation, numberOf } from './augmentation.ts'

export interface EraseOptions {
  /** The share of images that lose something; 0.5 if left out. */
  readonly probability?: number
  /** The least and the most share of the area that is lost; 0.02 to 0.2 if left out. */
  readonly area?: readonly [number, number]
  /** Its height to its width is up to this, or one over this; 3 if left out. */
  readonly ratio?: number
}

/**
 * Puts the image's mean in place of a rectangle anywhere in it. Zhong et al., "Random Erasing Data Augmentation", 2020,
 * algorithm 1, with the rectangle cut off at the border in place of drawn again.
 */
export function erase({ probability = 0.5, area = [0.02, 0.2], ratio = 3 }: EraseOptions = {}): Augmentation {
  return {
    name: 'erase',
    settings: { probability, area, ratio },
    numbers: 4,
    draw({ uniform }) {
      const happens = uniform(0, 1) < probability
      const [size, sides] = [uniform(...area), Math.exp(uniform(-Math.log(ratio), Math.log(ratio)))]
      const [height, width] = [Math.sqrt(size * sides), Math.sqrt(size / sides)]
      const [top, left] = [uniform(0, 1 - Math.min(1, height)), uniform(0, 1 - Math.min(1, width))]
      return happens ? [top, top + height, left, left + width] : [0, 0, 0, 0]
    },
    build(pixels, drawn) {
      const [, , height, width] = pixels.shape as [number, number, number, number]
      const down = within(middles(height, [1, 1, height, 1]), drawn, 0)
      const right = within(middles(width, [1, 1, 1, width]), drawn, 2)
      const gone = down.mul(right)
      return pixels.mul(gone.neg().add(1)).add(pixels.mean([1, 2, 3], true).mul(gone))
    },
  }
}

/** Where the middles of pixels are, as shares of the extent. */
function middles(extent: number, shape: readonly number[]): Value {
  return constant(
    'float32',
    shape,
    Array.from({ length: extent }, (_, i) => (i + 0.5) / extent),
  )
}

/** 1 where a place is from one of the numbers drawn to the next, else 0. */
function within(places: Value, drawn: Value, which: number): Value {
  const [from, to] = [numberOf(drawn, which), numberOf(drawn, which + 1)]
  return places.greaterEqual(from).and(places.less(to)).cast('float32')
}
