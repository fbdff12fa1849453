/** Mirrored images. */
import { type Augmentation, numberOf } from './augmentation.ts'

export interface FlipOptions {
  /** The share of images whose left and right change places; 0.5 if left out. */
  readonly horizontal?: number
  /** The share of images whose top and bottom change places; 0 if left out. */
  readonly vertical?: number
}

/** Mirrors images, each way on its own. Only for things that mirrored are still the same: no letters, no left hands. */
export function flip({ horizontal = 0.5, vertical = 0 }: FlipOptions = {}): Augmentation {
  return {
    name: 'flip',
    settings: { horizontal, vertical },
    numbers: 2,
    draw: ({ uniform }) => [horizontal, vertical].map((share) => Number(uniform(0, 1) < share)),
    build(pixels, drawn) {
      let changed = pixels
      for (const [which, axis] of [3, 2].entries()) {
        const extent = changed.shape[axis]!
        const mirrored = changed.slice(axis, extent - 1, -extent - 1, -1)
        const turn = numberOf(drawn, which)
        changed = changed.mul(turn.neg().add(1)).add(mirrored.mul(turn))
      }
      return changed
    },
  }
}
