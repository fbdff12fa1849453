/** What an imported encoder takes for images, and how pixels become that. */
import { UsageError } from '../../errors.ts'
import { constant, type Value } from '../../graph/value.ts'
import type { Pixels } from '../encoder.ts'
import type { Input } from './graph.ts'

/** Pixels 0–255 are divided by 255, then less the mean, divided by the standard deviation: of each channel, or one of all. */
export interface Normalization {
  /** 0 if left out. */
  readonly mean?: number | readonly number[] | undefined
  /** 1 if left out. */
  readonly std?: number | readonly number[] | undefined
}

export interface ImageInput extends Pixels {
  readonly name: string
  /** Whether channels come last, as TensorFlow has them. */
  readonly channelsLast: boolean
}

/**
 * The images that the inputs of a graph stand for; undefined if they are something else.
 *
 * @throws UsageError if the file leaves their size open and the options do not say it, or say another.
 */
export function imageInput(
  inputs: readonly Input[],
  stated: { readonly height?: number | undefined; readonly width?: number | undefined },
): ImageInput | undefined {
  const [only] = inputs
  if (inputs.length !== 1 || only!.dtype !== 'float32' || only!.shape.length !== 4) return undefined
  const { name, shape } = only!
  const isChannels = (extent: number | string | undefined) => extent === 1 || extent === 3
  const channelsLast = !isChannels(shape[1]) && isChannels(shape[3])
  if (!channelsLast && !isChannels(shape[1])) return undefined
  const [channels, height, width] = channelsLast ? [shape[3], shape[1], shape[2]] : shape.slice(1)
  const extent = (of: 'height' | 'width', said: number | string) => {
    const asked = stated[of]
    if (typeof said === 'string' && asked === undefined) {
      throw new UsageError(`The model leaves the ${of} of its images open. State it: { ${of}: … }.`)
    }
    if (typeof said === 'number' && asked !== undefined && asked !== said) {
      throw new UsageError(
        `The model takes images of ${of} ${said}, found ${of} ${asked} among the options. Leave it out.`,
      )
    }
    return typeof said === 'number' ? said : asked!
  }
  return {
    name,
    channelsLast,
    channels: channels as number,
    height: extent('height', height!),
    width: extent('width', width!),
  }
}

/** Pixels [n, channels, height, width], 0–255, as the graph takes them. */
export function normalizePixels(
  pixels: Value,
  { channels, channelsLast }: ImageInput,
  { mean = 0, std = 1 }: Normalization,
): Value {
  const [means, deviations] = [perChannel('mean', mean, channels), perChannel('std', std, channels)]
  if (!deviations.every((each) => each > 0)) {
    throw new UsageError(`A standard deviation must be above 0, found ${deviations.join(', ')}.`)
  }
  // (x/255 − mean)/std as one product and one sum.
  const scale = constant(
    'float32',
    [channels, 1, 1],
    deviations.map((each) => 1 / (255 * each)),
  )
  const shift = constant(
    'float32',
    [channels, 1, 1],
    deviations.map((each, i) => -means[i]! / each),
  )
  const normalized = pixels.mul(scale).add(shift)
  return channelsLast ? normalized.transpose([0, 2, 3, 1]) : normalized
}

function perChannel(name: string, values: number | readonly number[], channels: number): readonly number[] {
  const given = typeof values === 'number' ? [values] : values
  const all = given.length === 1 ? Array<number>(channels).fill(given[0]!) : given
  if (all.length !== channels || !all.every(Number.isFinite)) {
    throw new UsageError(`${name} is ${all.join(', ')}; expected one number, or one for each of ${channels} channels.`)
  }
  return all
}
