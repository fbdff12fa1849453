import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { UsageError } from '../errors.ts'
import { differentiate } from '../graph/differentiate.ts'
import { apply, input } from '../graph/value.ts'
import { random } from '../random.ts'
import { size, type Tensor } from '../tensor.ts'
import { convolutional, type Encoder, type Mode, mlp, type Variables } from './index.ts'

const small = { channels: 2, height: 9, width: 6 }
const ROWS = 5

function pixelsOf(seed: number): Tensor {
  const shape = [ROWS, small.channels, small.height, small.width]
  const { integer } = random(seed, 'pixels')
  return { dtype: 'float32', shape, data: Float32Array.from({ length: size(shape) }, () => integer(256)) }
}

async function run(encoder: Encoder, variables: Variables, pixels: Tensor, mode: Mode) {
  const held = Object.fromEntries(Object.entries(variables).map(([name, v]) => [name, input(name, v.dtype, v.shape)]))
  const { embedding, state } = await encoder.build({ pixels: input('pixels', 'float32', pixels.shape) }, held, mode)
  const names = Object.keys(variables).filter((name) => variables[name]!.trained)
  // The weights 1, 2, 3, … make every element of the embedding count differently.
  const weights = input('weights', 'float32', embedding.shape)
  const slopes =
    mode === 'train'
      ? differentiate(
          embedding.mul(weights).sum(),
          names.map((name) => held[name]!),
        )
      : []
  const next = Object.entries(state).map(([name, value]) => [`next ${name}`, value])
  const outputs = {
    embedding,
    ...Object.fromEntries(next),
    ...Object.fromEntries(slopes.map((g, i) => [`d ${names[i]}`, g])),
  }
  const program = await compile(outputs)
  const data = Float32Array.from({ length: size(embedding.shape) }, (_, i) => Math.sin(i))
  const results = await program.run({
    ...variables,
    pixels,
    weights: { dtype: 'float32', shape: embedding.shape, data },
  })
  await program.release()
  const value = (results.embedding!.data as Float32Array).reduce((sum, x, i) => sum + x * data[i]!, 0)
  return { results, value }
}

const encoders = [
  convolutional({ input: small, channels: [3, 4], dimension: 3 }),
  convolutional({ input: small, channels: [3] }),
  mlp({ input: small, hidden: [6], dimension: 4 }),
]

test('embeddings have the dimension that is promised, and variables follow from the seed', async () => {
  for (const encoder of encoders) {
    const { results } = await run(encoder, encoder.variables(1), pixelsOf(0), 'infer')
    expect(results.embedding!.shape).toEqual([ROWS, encoder.dimension])
    expect(encoder.variables(1)).toEqual(encoder.variables(1))
    expect(encoder.variables(1)).not.toEqual(encoder.variables(2))
  }
  expect(encoders[1]!.dimension).toBe(3 * 4 * 3)
})

test('gradients through every layer are those of finite differences', async () => {
  for (const encoder of encoders) {
    const variables = encoder.variables(3)
    const pixels = pixelsOf(1)
    const { results } = await run(encoder, variables, pixels, 'train')
    for (const [name, variable] of Object.entries(variables)) {
      if (!variable.trained) continue
      const index = Math.floor(variable.data.length / 2)
      const step = 2e-3
      const at = async (shift: number) => {
        const data = variable.data.slice()
        data[index]! += shift
        return (await run(encoder, { ...variables, [name]: { ...variable, data } }, pixels, 'train')).value
      }
      const slope = ((await at(step)) - (await at(-step))) / (2 * step)
      const found = results[`d ${name}`]!.data[index] as number
      expect(Math.abs(found - slope), `${encoder.name} ${name}: ${found} against ${slope}`).toBeLessThan(
        0.02 + 0.03 * Math.abs(slope),
      )
    }
  }
})

test('running statistics follow the batch as PyTorch has it, the variance unbiased', async () => {
  const encoder = encoders[1]!
  const initial = encoder.variables(0)
  const variables = {
    ...initial,
    'block0.runningMean': { ...initial['block0.runningMean']!, data: Float32Array.of(1, 2, 3) },
    'block0.runningVariance': { ...initial['block0.runningVariance']!, data: Float32Array.of(4, 5, 6) },
  }
  const pixels = pixelsOf(2)
  const { results } = await run(encoder, variables, pixels, 'train')

  // The convolution on its own, with its statistics in float64.
  const x = input('pixels', 'float32', pixels.shape)
  const weight = input('weight', 'float32', initial['block0.weight']!.shape)
  const convolved = apply('Conv', [x.mul(1 / 127.5).sub(1), weight], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })[0]!
  const program = await compile({ convolved })
  const { data } = (await program.run({ pixels, weight: initial['block0.weight']! })).convolved!
  await program.release()
  const plane = small.height * small.width
  for (let channel = 0; channel < 3; channel++) {
    const values = Array.from(data as Float32Array).filter((_, i) => Math.floor(i / plane) % 3 === channel)
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length
    const unbiased = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1)
    expect(results['next block0.runningMean']!.data[channel]).toBeCloseTo(0.9 * (channel + 1) + 0.1 * mean, 4)
    expect(results['next block0.runningVariance']!.data[channel]).toBeCloseTo(0.9 * (channel + 4) + 0.1 * unbiased, 4)
  }
})

test('an image that the blocks would halve away is refused', () => {
  expect(() => convolutional({ input: { channels: 1, height: 7, width: 28 }, dimension: 2 })).toThrow(UsageError)
  expect(() => convolutional({ input: { channels: 1, height: 7, width: 28 } })).toThrow(/at least 8 × 8/)
})
