/** What an encoder is: a function from inputs to embeddings, with variables that training fits. */

import type { Value } from '../graph/value.ts'
import type { Model } from '../onnx/schema.ts'
import type { DType, Tensor } from '../tensor.ts'
import type { Mask } from './dropout.ts'

/** The images that an encoder takes, fed as `pixels` [n, channels, height, width], 0–255. */
export interface Pixels {
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** The tensors that an encoder takes, by name: token ids, masks, features. The first axis of each is the batch's. */
export interface NamedTensors {
  readonly tensors: readonly NamedTensor[]
}

export interface NamedTensor {
  readonly name: string
  readonly dtype: DType
  /** A name stands for an extent that is open. */
  readonly shape: readonly (number | string)[]
}

/** A tensor that belongs to an encoder. */
export interface Variable extends Tensor {
  readonly data: Float32Array
  /** Whether the gradient trains it; the others, such as running statistics, are updated by the encoder itself. */
  readonly trained: boolean
}

export type Variables = Readonly<Record<string, Variable>>
export type Values = Readonly<Record<string, Value>>

/**
 * `train` uses the statistics of the batch and updates the running ones; `infer` uses the running ones, and every row is
 * computed on its own.
 */
export type Mode = 'train' | 'infer'

/** The graph of an encoder for one batch. */
export interface Encoded {
  /** [n, d] */
  readonly embedding: Value
  /** In `train` mode: the new values of the variables that are not trained. */
  readonly state: Values
  /** In `train` mode: what dropout multiplies with. */
  readonly masks?: readonly Mask[]
}

export interface Encoder<Input extends Pixels | NamedTensors = Pixels | NamedTensors> {
  readonly name: string
  readonly input: Input
  /** d, the length of an embedding. */
  readonly dimension: number
  /** What it was made with, by name, to be written down beside a model. */
  readonly settings: Readonly<Record<string, number | string | boolean | readonly number[] | readonly string[]>>
  /** The variables before training: the same for the same seed. */
  variables(seed: number): Variables
  /**
   * @param inputs `pixels` [n, channels, height, width] float32, 0–255, or the named tensors.
   * @param variables a value for each of the encoder's variables.
   */
  build(inputs: Values, variables: Values, mode: Mode): Encoded | Promise<Encoded>
  /**
   * The encoder as an ONNX model of its own making; left out where the graph of `build` serves any number of rows.
   *
   * @param finish what follows the embedding, such as unit length.
   */
  toModel?(variables: Variables, finish: (embedding: Value) => Value): Model
}

/** The name of the only tensor that an encoder of examples takes: `pixels`, or what a named one is called. */
export function inputName({ input }: Encoder): string {
  return 'tensors' in input ? input.tensors[0]!.name : 'pixels'
}

/** Whether an encoder takes images. */
export function takesImages(encoder: Encoder): encoder is Encoder<Pixels> {
  return 'channels' in encoder.input
}
