/** Another light: brighter or darker, with more or less contrast. */
import { type Augmentation, numberOf } from './augmentation.ts'

export interface LightOptions {
  /** Brighter or darker by up to this share of the whole range; 0.2 if left out. */
  readonly brightness?: number
  /** Distances from the image's mean are up to this share larger or smaller; 0.2 if left out. */
  readonly contrast?: number
}

/** Brightness and contrast, each uniform in its range; what leaves 0–255 is cut off. */
export function light({ brightness = 0.2, contrast = 0.2 }: LightOptions = {}): Augmentation {
  return {
    name: 'light',
    settings: { brightness, contrast },
    numbers: 2,
    draw: ({ uniform }) => [255 * uniform(-brightness, brightness), 1 + uniform(-contrast, contrast)],
    build(pixels, drawn) {
      const mean = pixels.mean([1, 2, 3], true)
      const changed = pixels.sub(mean).mul(numberOf(drawn, 1)).add(mean).add(numberOf(drawn, 0))
      return changed.maximum(0).minimum(255)
    },
  }
}
