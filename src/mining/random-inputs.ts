/** Numbers for miners that draw: inputs of the graph, filled outside of it. */
import { input, type Value } from '../graph/value.ts'
import { randomOfBatch } from '../random.ts'
import { size, type Tensor } from '../tensor.ts'
import type { RandomInputs } from './miner.ts'

export interface CollectedInputs extends RandomInputs {
  /** What was asked for so far. */
  readonly values: readonly Value[]
}

/** @param prefix of the inputs' names. */
export function randomInputs(prefix: string): CollectedInputs {
  const values: Value[] = []
  return {
    values,
    uniform(shape) {
      const value = input(`${prefix}drawn ${values.length}`, 'float32', shape)
      values.push(value)
      return value
    },
  }
}

/** What to feed for one batch: the same for the same seed and batch. */
export function drawUniform(values: readonly Value[], seed: number, batch: string): Record<string, Tensor> {
  return Object.fromEntries(
    values.map(({ source, shape }) => {
      const name = source.kind === 'input' ? source.name : ''
      const { uniform } = randomOfBatch(seed, name, batch)
      // Rounded down, so that 1 itself is not drawn.
      const data = Float32Array.from({ length: size(shape) }, () => Math.floor(uniform(0, 2 ** 24)) / 2 ** 24)
      return [name, { dtype: 'float32', shape, data }]
    }),
  )
}
