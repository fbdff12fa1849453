/** A multilayer perceptron over pixels, or over vectors. */
import { random } from '../random.ts'
import { type VectorMlpOptions, vectorMlp } from './adapters.ts'
import type { Encoder, NamedTensors, Pixels, Variables } from './encoder.ts'
import { centred, dense, denseVariables } from './layers.ts'

export interface MlpOptions {
  readonly input: Pixels
  /** d. */
  readonly dimension: number
  /** The widths of the hidden layers; [512, 512] if left out. */
  readonly hidden?: readonly number[]
}

/**
 * Dense layers with relu between them, over the pixels of an image or over vectors; with `residual`, over vectors only, they
 * are added to the vector, and the last one is zero in the beginning: training starts with the vectors themselves.
 *
 * @throws UsageError if `residual` is to change the length.
 */
export function mlp(options: VectorMlpOptions): Encoder<NamedTensors>
export function mlp(options: MlpOptions): Encoder<Pixels>
export function mlp(options: MlpOptions | VectorMlpOptions): Encoder<NamedTensors> | Encoder<Pixels> {
  return isOfVectors(options) ? vectorMlp(options) : ofPixels(options)
}

function isOfVectors(options: MlpOptions | VectorMlpOptions): options is VectorMlpOptions {
  return 'kind' in options.input && options.input.kind === 'vector'
}

function ofPixels({ input, dimension, hidden = [512, 512] }: MlpOptions): Encoder<Pixels> {
  const widths = [input.channels * input.height * input.width, ...hidden, dimension]
  return {
    name: 'mlp',
    input,
    dimension,
    settings: { hidden, dimension },
    variables(seed) {
      const source = random(seed, 'variables')
      const layers = widths.slice(1).map((outputs, i) => denseVariables(`layer${i}`, widths[i]!, outputs, source))
      return Object.assign({}, ...layers) as Variables
    },
    build({ pixels }, variables) {
      let x = centred(pixels!).flatten()
      for (let i = 0; i <= hidden.length; i++) {
        x = dense(x, `layer${i}`, variables)
        if (i < hidden.length) x = x.relu()
      }
      return { embedding: x, state: {} }
    },
  }
}
