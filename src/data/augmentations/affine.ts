/** Turned, scaled, sheared, moved; and a part of the image at the size of the whole. */
import { integers, one, type Value } from '../../graph/value.ts'
import type { Random } from '../../random.ts'
import type { Augmentation } from './augmentation.ts'

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
    settings: { rotation, scale, shear, translation },
    numbers: 6,
    draw({ uniform }: Random) {
      const around = (reach: number) => uniform(-reach, reach)
      const [angle, slant] = [radians(around(rotation)), radians(around(shear))]
      const size = 1 / (1 + around(scale))
      // Where each output pixel looks in the input, in coordinates of −1…1, so that a share of the width is twice it.
      const [right, down] = [2 * around(translation), 2 * around(translation)]
      return [
        ...[size * Math.cos(angle), -size * Math.sin(angle + slant), right],
        ...[size * Math.sin(angle), size * Math.cos(angle + slant), down],
      ]
    },
    build: mapped,
  }
}

export interface CropOptions {
  /** The least share of the image's area that the part has; 0.6 if left out. */
  readonly area?: number
  /** Its width to its height is up to this times, or one over this times, that of the image; 4/3 if left out. */
  readonly ratio?: number
}

/**
 * A part of the image brought to its size: of an area drawn between `area` and all, with a ratio of the sides drawn evenly
 * on a logarithmic scale, anywhere inside. Szegedy et al., "Going Deeper with Convolutions", 2015, section 6.
 */
export function crop({ area = 0.6, ratio = 4 / 3 }: CropOptions = {}): Augmentation {
  return {
    name: 'crop',
    settings: { area, ratio },
    numbers: 6,
    draw({ uniform }) {
      const [size, sides] = [uniform(area, 1), Math.exp(uniform(-Math.log(ratio), Math.log(ratio)))]
      const [width, height] = [Math.min(1, Math.sqrt(size * sides)), Math.min(1, Math.sqrt(size / sides))]
      const [right, down] = [uniform(-1, 1) * (1 - width), uniform(-1, 1) * (1 - height)]
      return [width, 0, right, 0, height, down]
    },
    build: mapped,
  }
}

/** Each image by its own affine map [2, 3], from places in the output to places in the input. */
function mapped(pixels: Value, drawn: Value): Value {
  const grid = one('AffineGrid', [drawn.reshape([pixels.shape[0]!, 2, 3]), integers(pixels.shape)], {
    align_corners: 0,
  })
  return one('GridSample', [pixels, grid], { mode: 'linear', padding_mode: 'border', align_corners: 0 })
}
