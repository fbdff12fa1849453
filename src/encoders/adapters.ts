/** Encoders of vectors: adapters, which make somebody else's embeddings fit one's own notion of similar. */
import { UsageError } from '../errors.ts'
import { one } from '../graph/value.ts'
import type { VectorInput } from '../inputs/vector.ts'
import { random } from '../random.ts'
import type { Encoder, NamedTensors, Variables } from './encoder.ts'
import { dense, denseVariables } from './layers.ts'

export interface AdapterOptions {
  readonly input: VectorInput
  /** d, the length of an embedding; that of the vectors if left out. */
  readonly dimension?: number | undefined
  /** Adds the layers to the vector and starts them at zero, so that training begins with the vectors themselves; false if left out. */
  readonly residual?: boolean | undefined
}

export interface VectorMlpOptions extends AdapterOptions {
  /** The widths of the hidden layers; [512, 512] if left out. */
  readonly hidden?: readonly number[] | undefined
}

/** What an adapter's input is called. */
const VECTOR = 'vector'

/**
 * A linear map of vectors, W x + b; with `residual`, x + W x + b, of which W and b are zero in the beginning.
 *
 * @throws UsageError if `residual` is to change the length.
 */
export function linear({ input, dimension, residual }: AdapterOptions): Encoder<NamedTensors> {
  return adapter('linear', { input, dimension, residual, hidden: [] })
}

/**
 * `mlp` over vectors. That the last layer of a residual branch starts at zero is from Zhang, Dauphin, Ma, "Fixup
 * Initialization", 2019, section 3.
 */
export function vectorMlp({ hidden = [512, 512], ...rest }: VectorMlpOptions): Encoder<NamedTensors> {
  return adapter('mlp', { ...rest, hidden })
}

/** The vectors themselves: what a residual adapter is before training. It has nothing to train. */
export function identity({ input }: Pick<AdapterOptions, 'input'>): Encoder<NamedTensors> {
  return {
    name: 'identity',
    input: tensorsOf(input),
    dimension: input.dimension,
    settings: { dimension: input.dimension },
    variables: () => ({}),
    build: ({ [VECTOR]: vector }) => ({ embedding: one('Identity', [vector]), state: {} }),
  }
}

function adapter(
  name: string,
  { input, dimension = input.dimension, residual = false, hidden }: VectorMlpOptions & { hidden: readonly number[] },
): Encoder<NamedTensors> {
  if (residual && dimension !== input.dimension) {
    throw new UsageError(
      `A residual adapter adds to the vectors, so its embeddings have their ${input.dimension} numbers, found the dimension ${dimension}. Leave the dimension out, or residual.`,
    )
  }
  const widths = [input.dimension, ...hidden, dimension]
  const last = widths.length - 2
  return {
    name,
    input: tensorsOf(input),
    dimension,
    settings: { ...(hidden.length > 0 && { hidden }), dimension, residual },
    variables(seed) {
      const source = random(seed, 'variables')
      const layers = widths.slice(1).map((outputs, i) => denseVariables(`layer${i}`, widths[i]!, outputs, source))
      if (residual) for (const { data } of Object.values(layers[last]!)) data.fill(0)
      return Object.assign({}, ...layers) as Variables
    },
    build({ [VECTOR]: vector }, variables) {
      let x = vector!
      for (let i = 0; i <= last; i++) {
        x = dense(x, `layer${i}`, variables)
        if (i < last) x = x.relu()
      }
      return { embedding: residual ? vector!.add(x) : x, state: {} }
    },
  }
}

function tensorsOf({ dimension }: VectorInput): NamedTensors {
  return { tensors: [{ name: VECTOR, dtype: 'float32', shape: ['n', dimension] }] }
}
