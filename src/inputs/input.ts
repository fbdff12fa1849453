/** What an encoder takes of one example: all kinds of it. */
import type { TensorType } from '../tensor.ts'
import type { ImageInput } from './image.ts'
import type { VectorInput } from './vector.ts'

export type Input = ImageInput | VectorInput

/** What so many examples are as they are read: uint8 pixels 0–255, or float32 vectors. */
export function typeOfRows(input: Input, rows: number): TensorType {
  if (input.kind === 'vector') return { dtype: 'float32', shape: [rows, input.dimension] }
  const { channels, height, width } = input
  return { dtype: 'uint8', shape: [rows, channels, height, width] }
}

/** For messages: `images of 1 × 28 × 28`, or `vectors of 128 numbers`. */
export function describeInput(
  input: VectorInput | (Pick<ImageInput, 'kind' | 'height' | 'width'> & { readonly channels: number }),
): string {
  if (input.kind === 'vector') return `vectors of ${input.dimension} numbers`
  return `images of ${input.channels} × ${input.height} × ${input.width}`
}
