/** Images out of focus. */
import { type Augmentation, numberOf, shifted } from './augmentation.ts'

export interface BlurOptions {
  /** The share of images that are blurred; 0.5 if left out. */
  readonly probability?: number
  /** The least and the most standard deviation, in pixels; 0.1 to 1.5 if left out. */
  readonly sigma?: readonly [number, number]
}

/**
 * A Gaussian blur whose standard deviation is drawn for each image, along one axis and then the other, as far as three of
 * the most; the border is repeated. Chen et al., "A Simple Framework for Contrastive Learning", 2020, appendix A.
 */
export function blur({ probability = 0.5, sigma = [0.1, 1.5] }: BlurOptions = {}): Augmentation {
  const reach = Math.ceil(3 * sigma[1])
  return {
    name: 'blur',
    settings: { probability, sigma },
    numbers: reach + 1,
    // The weight of each distance, so that no exponential is left to the graph.
    draw({ uniform }) {
      const happens = uniform(0, 1) < probability
      const deviation = uniform(...sigma)
      if (!happens) return Array.from({ length: reach + 1 }, (_, distance) => Number(distance === 0))
      const weights = Array.from({ length: reach + 1 }, (_, distance) =>
        Math.exp(-(distance ** 2) / (2 * deviation ** 2)),
      )
      const total = weights.reduce((sum, weight, distance) => sum + (distance === 0 ? 1 : 2) * weight, 0)
      return weights.map((weight) => weight / total)
    },
    build(pixels, drawn) {
      let changed = pixels
      for (const axis of [2, 3] as const) {
        let blurred = changed.mul(numberOf(drawn, 0))
        for (let distance = 1; distance <= reach; distance++) {
          const both = shifted(changed, axis, distance).add(shifted(changed, axis, -distance))
          blurred = blurred.add(both.mul(numberOf(drawn, distance)))
        }
        changed = blurred
      }
      return changed
    },
  }
}
