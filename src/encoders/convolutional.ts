/** A convolutional encoder for small images. */
import { UsageError } from '../errors.ts'
import { random } from '../random.ts'
import type { Encoder, Pixels, Values, Variables } from './encoder.ts'
import { block, blockVariables, centred, dense, denseVariables } from './layers.ts'

export interface ConvolutionalOptions {
  readonly input: Pixels
  /** d, by a dense layer at the end; the flattened features themselves if left out. */
  readonly dimension?: number | undefined
  /** The channels of each block; every block halves height and width. [32, 64, 128] if left out. */
  readonly channels?: readonly number[]
}

/**
 * Blocks of convolution 3 × 3, batch normalisation, max pooling 2 × 2 and relu; then the features are flattened, and a
 * dense layer makes the embedding of them.
 *
 * @throws UsageError if the image is too small for that many blocks.
 */
export function convolutional({ input, dimension, channels = [32, 64, 128] }: ConvolutionalOptions): Encoder<Pixels> {
  const shrunk = (extent: number) => Math.floor(extent / 2 ** channels.length)
  const features = (channels.at(-1) ?? 0) * shrunk(input.height) * shrunk(input.width)
  if (features === 0) {
    throw new UsageError(
      `${channels.length} blocks halve an image of ${input.width} × ${input.height} away. Use images of at least ${2 ** channels.length} × ${2 ** channels.length} or fewer blocks.`,
    )
  }
  return {
    name: 'convolutional',
    input,
    dimension: dimension ?? features,
    settings: { channels, ...(dimension && { dimension }) },
    variables(seed) {
      const source = random(seed, 'variables')
      let all: Variables = {}
      channels.forEach((outputs, i) => {
        all = { ...all, ...blockVariables(`block${i}`, channels[i - 1] ?? input.channels, outputs, source) }
      })
      return dimension ? { ...all, ...denseVariables('head', features, dimension, source) } : all
    },
    build({ pixels }, variables, mode) {
      let state: Values = {}
      let x = centred(pixels!)
      channels.forEach((_, i) => {
        const step = block(x, `block${i}`, variables, mode)
        x = step.output
        state = { ...state, ...step.state }
      })
      return { embedding: dimension ? dense(x.flatten(), 'head', variables) : x.flatten(), state }
    },
  }
}
