/** Random changes of training images, drawn here and computed in the step's graph. */

import { integers, one, type Value } from '../graph/value.ts'
import { random } from '../random.ts'
import type { Tensor } from '../tensor.ts'

/** A way of changing the images of a batch at random before the encoder sees them. */
export interface Augmentation {
  readonly name: string
  /** What is drawn for a batch of n images: its shape. */
  shape(n: number): readonly number[]
  /** A stream of draws: each call gives new numbers for a batch of n images, the same for the same seed. */
  draws(seed: number): (n: number) => Tensor
  /** pixels [n, channels, height, width] float32, changed as drawn. */
  build(pixels: Value, drawn: Value): Value
}

export interface AffineOptions {
  /** Turned by up to this many degrees either way; 10 if left out. */
  readonly rotation?: number
  /** Made larger or smaller by up to this share; 0.1 if left out. */
  readonly scale?: number
  /** Sheared by up to this many degrees either way; 6 if left out. */
  readonly shear?: number
  /** Moved by up to this share of width and height; 0.06 if left out. */
  readonly translation?: number
}

/**
 * A random affine map for each image: rotation, scale, shear and translation, uniform in their ranges and independent.
 * Pixels are interpolated linearly; what comes in from outside repeats the border.
 */
export function affine({
  rotation = 10,
  scale = 0.1,
  shear = 6,
  translation = 0.06,
}: AffineOptions = {}): Augmentation {
  const radians = (degrees: number) => (degrees * Math.PI) / 180
  return {
    name: 'affine',
    shape: (n) => [n, 2, 3],
    draws(seed) {
      const { uniform } = random(seed, 'augmentation')
      const around = (reach: number) => uniform(-reach, reach)
      return (n) => {
        const maps = new Float32Array(n * 6)
        for (let i = 0; i < n; i++) {
          const [angle, slant] = [radians(around(rotation)), radians(around(shear))]
          const size = 1 / (1 + around(scale))
          // Where each output pixel looks in the input, in coordinates of −1…1, so that a share of the width is twice it.
          const [right, down] = [2 * around(translation), 2 * around(translation)]
          maps.set([size * Math.cos(angle), -size * Math.sin(angle + slant), right], i * 6)
          maps.set([size * Math.sin(angle), size * Math.cos(angle + slant), down], i * 6 + 3)
        }
        return { dtype: 'float32', shape: [n, 2, 3], data: maps }
      }
    },
    build(pixels, drawn) {
      const grid = one('AffineGrid', [drawn, integers(pixels.shape)], { align_corners: 0 })
      return one('GridSample', [pixels, grid], { mode: 'linear', padding_mode: 'border', align_corners: 0 })
    },
  }
}
