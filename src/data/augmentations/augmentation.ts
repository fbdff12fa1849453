/** What a random change of training images is: drawn here, and computed in the step's graph. */
import { concat, type Value } from '../../graph/value.ts'
import { type Random, random } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'

/** A way of changing the images of a batch at random before the encoder sees them. */
export interface Augmentation {
  readonly name: string
  /** What it was made with, by name, to be written down beside a model. */
  readonly settings: Readonly<Record<string, unknown>>
  /** How many numbers are drawn for an image. */
  readonly numbers: number
  /** The numbers of one image; every call takes as many from the stream. */
  draw(random: Random): readonly number[]
  /** pixels [n, channels, height, width] float32, 0–255, changed by what was drawn for each, [n, numbers] float32. */
  build(pixels: Value, drawn: Value): Value
}

/** A stream of draws: each call gives new numbers for a batch of n images [n, numbers], the same for the same seed. */
export function drawsOf(augmentation: Augmentation, seed: number): (n: number) => Tensor {
  const stream = random(seed, 'augmentation')
  const { numbers } = augmentation
  return (n) => {
    const data = new Float32Array(n * numbers)
    for (let i = 0; i < n; i++) data.set(augmentation.draw(stream), i * numbers)
    return { dtype: 'float32', shape: [n, numbers], data }
  }
}

/** One change after the other, each on what the one before it left. */
export function compose(...augmentations: readonly Augmentation[]): Augmentation {
  return {
    name: augmentations.map(({ name }) => name).join(', '),
    settings: Object.fromEntries(augmentations.map(({ name, settings }) => [name, settings])),
    numbers: augmentations.reduce((sum, { numbers }) => sum + numbers, 0),
    draw: (stream) => augmentations.flatMap((each) => each.draw(stream)),
    build(pixels, drawn) {
      let [changed, start] = [pixels, 0]
      for (const each of augmentations) {
        changed = each.build(changed, drawn.slice(1, start, start + each.numbers))
        start += each.numbers
      }
      return changed
    },
  }
}

/** One of the numbers drawn for each image, as [n, 1, 1, 1]. */
export function numberOf(drawn: Value, which: number): Value {
  return drawn.slice(1, which, which + 1).reshape([drawn.shape[0]!, 1, 1, 1])
}

/** Images moved by whole pixels along an axis (2 down, 3 right); what comes in from outside repeats the border. */
export function shifted(pixels: Value, axis: 2 | 3, by: number): Value {
  if (by === 0) return pixels
  const extent = pixels.shape[axis]!
  const steps = Math.min(Math.abs(by), extent)
  const edge = by > 0 ? pixels.slice(axis, 0, 1) : pixels.slice(axis, extent - 1, extent)
  const border = Array.from({ length: steps }, () => edge)
  if (steps === extent) return concat(border, axis)
  const rest = by > 0 ? pixels.slice(axis, 0, extent - steps) : pixels.slice(axis, steps, extent)
  return concat(by > 0 ? [...border, rest] : [rest, ...border], axis)
}
