/** Convolution and pooling at once against one after the other, with the moments of what is pooled. */
import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { differentiate } from '../graph/differentiate.ts'
import { input, one, type Value } from '../graph/value.ts'
import { random } from '../random.ts'
import { size, type Tensor } from '../tensor.ts'
import { type Moments, moments } from './moments.ts'
import { convolvedAndPooled } from './patches.ts'

const types = {
  x: [5, 3, 6, 8],
  kernels: [4, 3, 3, 3],
  byPooled: [5, 4, 3, 4],
  byMean: [4],
  byVariance: [4],
} as const

/** Far from zero in the mean, as pixels are. */
function filled(shape: readonly number[]): Tensor {
  const { uniform } = random(1, `patches ${shape}`)
  return { dtype: 'float32', shape, data: Float32Array.from({ length: size(shape) }, () => uniform(-1, 1) - 0.5) }
}

test('at once and one after the other: the same results, the same gradients', async () => {
  const values = Object.entries(types).map(([name, shape]) => input(name, 'float32', shape))
  const [x, kernels, byPooled, byMean, byVariance] = values as [Value, Value, Value, Value, Value]
  const named = (prefix: string, pooled: Value, { mean, variance }: Moments) => {
    const score = pooled
      .mul(byPooled)
      .sum()
      .add(mean.mul(byMean).add(variance.mul(byVariance)).sum())
    const slopes = differentiate(score, [x, kernels])
    return Object.fromEntries([pooled, mean, variance, ...slopes].map((value, i) => [`${prefix} ${i}`, value]))
  }
  const convolved = one('Conv', [x, kernels], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
  const pooled = one('MaxPool', [convolved], { kernel_shape: [2, 2], strides: [2, 2] })
  const once = convolvedAndPooled(x, kernels)
  const program = await compile({
    ...named('once', once.pooled, once.moments),
    ...named('apart', pooled, moments(convolved)),
  })
  const feeds = Object.entries(types).map(([name, shape]) => [name, filled(shape)] as const)
  const results = await program.run(Object.fromEntries(feeds))
  await program.release()
  for (let i = 0; i < 5; i++) {
    const [found, expected] = [results[`once ${i}`]!, results[`apart ${i}`]!]
    expect(found.shape).toEqual(expected.shape)
    for (const [k, each] of found.data.entries()) expect(Number(each)).toBeCloseTo(Number(expected.data[k]), 4)
  }
})

test('where all of a window are equal, one of them takes the whole gradient', async () => {
  const shapes = { x: [1, 1, 2, 2], kernels: [2, 1, 3, 3] } as const
  const [x, kernels] = [input('x', 'float32', shapes.x), input('kernels', 'float32', shapes.kernels)]
  const [slope] = differentiate(convolvedAndPooled(x, kernels).pooled.sum(), [x])
  const program = await compile({ slope: slope! })
  // The middle of the kernel alone: each place gives its own pixel.
  const middle = Float32Array.from({ length: 18 }, (_, i) => Number(i % 9 === 4))
  const results = await program.run({
    x: { dtype: 'float32', shape: shapes.x, data: new Float32Array(4).fill(3) },
    kernels: { dtype: 'float32', shape: shapes.kernels, data: middle },
  })
  await program.release()
  expect([...results.slope!.data]).toEqual([2, 0, 0, 0])
})

test('of black images the variance is zero, not less', async () => {
  const shapes = { x: [3, 1, 6, 6], kernels: [2, 1, 3, 3] } as const
  const [x, kernels] = [input('x', 'float32', shapes.x), input('kernels', 'float32', shapes.kernels)]
  const { mean, variance } = convolvedAndPooled(x, kernels).moments
  const program = await compile({ mean, variance })
  const results = await program.run({
    x: { dtype: 'float32', shape: shapes.x, data: new Float32Array(108) },
    kernels: { dtype: 'float32', shape: shapes.kernels, data: new Float32Array(18).fill(0.7) },
  })
  await program.release()
  expect([...results.mean!.data, ...results.variance!.data]).toEqual([0, 0, 0, 0])
})
