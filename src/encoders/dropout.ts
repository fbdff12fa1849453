/** Dropout by masks that are fed, so that a step can be repeated exactly. */
import { UsageError } from '../errors.ts'
import { input, type Value } from '../graph/value.ts'
import { randomOfBatch } from '../random.ts'
import { type Shape, size, type Tensor } from '../tensor.ts'

/** Which elements stay: a graph input of bytes that are 1 with the probability 1 − ratio and 0 otherwise. */
export interface Mask {
  readonly value: Value
  readonly ratio: number
}

/**
 * A mask for values of this shape.
 *
 * @param name of the graph's input; each mask of a graph needs one of its own.
 * @param ratio the share of elements that is dropped, from 0 to less than 1.
 * @throws UsageError if it is not.
 */
export function mask(name: string, shape: Shape, ratio: number): Mask {
  if (!(ratio >= 0 && ratio < 1)) throw new UsageError(`Dropout takes a ratio from 0 to less than 1, found ${ratio}.`)
  return { value: input(name, 'uint8', shape), ratio }
}

/**
 * x with the elements dropped where the mask is 0 and the others scaled up by 1/(1 − ratio), so that the mean stays:
 * Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout", 2014, section 10.
 */
export function dropout(x: Value, { value, ratio }: Mask): Value {
  return x.mul(value.cast('float32').mul(1 / (1 - ratio)))
}

/** What to feed for the masks of one batch: the same for the same seed and batch. */
export function drawMasks(masks: readonly Mask[], seed: number, batch: string): Record<string, Tensor> {
  return Object.fromEntries(
    masks.map(({ value: { source, shape }, ratio }) => {
      const name = source.kind === 'input' ? source.name : ''
      const { coins } = randomOfBatch(seed, name, batch)
      return [name, { dtype: 'uint8', shape, data: coins(size(shape), 1 - ratio) }]
    }),
  )
}
