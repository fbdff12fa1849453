/** What an encoder is: a function from inputs to embeddings, with variables that training fits. */

import type { Value } from '../graph/value.ts'
import type { Tensor } from '../tensor.ts'

/** The images that an encoder takes. */
export interface Pixels {
  readonly channels: number
  readonly height: number
  readonly width: number
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

export interface Encoder {
  readonly name: string
  readonly input: Pixels
  /** d, the length of an embedding. */
  readonly dimension: number
  /** What it was made with, by name, to be written down beside a model. */
  readonly settings: Readonly<Record<string, number | string | readonly number[]>>
  /** The variables before training: the same for the same seed. */
  variables(seed: number): Variables
  /**
   * @param pixels [n, channels, height, width] float32, 0–255.
   * @returns embeddings [n, d], and in `train` mode the new values of the variables that are not trained.
   */
  build(pixels: Value, variables: Values, mode: Mode): { embedding: Value; state: Values }
}
