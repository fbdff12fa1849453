/** A multilayer perceptron over pixels. */
import { random } from '../random.ts'
import type { Encoder, Pixels, Variables } from './encoder.ts'
import { centred, dense, denseVariables } from './layers.ts'

export interface MlpOptions {
  readonly input: Pixels
  /** d. */
  readonly dimension: number
  /** The widths of the hidden layers; [512, 512] if left out. */
  readonly hidden?: readonly number[]
}

/** Dense layers with relu between them, over the pixels of an image. */
export function mlp({ input, dimension, hidden = [512, 512] }: MlpOptions): Encoder<Pixels> {
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
