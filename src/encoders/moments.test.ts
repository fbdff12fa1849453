/** Moments found from what a convolution sees against those of what it gives, and so their gradients. */
import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { differentiate } from '../graph/differentiate.ts'
import { input, one, type Value } from '../graph/value.ts'
import { random } from '../random.ts'
import { size } from '../tensor.ts'
import { type Moments, moments, momentsByInput } from './moments.ts'

const types = { x: [5, 3, 7, 6], kernels: [4, 3, 3, 3], bias: [4], byMean: [4], byVariance: [4] } as const

test('by the input and by the output: the same moments, the same gradients', async () => {
  const { uniform } = random(1, 'moments')
  const values = Object.entries(types).map(([name, shape]) => input(name, 'float32', shape))
  const [x, kernels, bias, byMean, byVariance] = values as [Value, Value, Value, Value, Value]
  const convolved = one('Conv', [x, kernels, bias], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
  const named = (prefix: string, { mean, variance }: Moments) => {
    const score = mean.mul(byMean).add(variance.mul(byVariance)).sum()
    const slopes = differentiate(score, [x, kernels, bias])
    return Object.fromEntries([mean, variance, ...slopes].map((value, i) => [`${prefix} ${i}`, value]))
  }
  const program = await compile({
    ...named('input', momentsByInput(x, kernels, bias)),
    ...named('output', moments(convolved)),
  })
  const feeds = Object.entries(types).map(([name, shape]) => {
    // Far from zero in the mean, as pixels are.
    const data = Float32Array.from({ length: size(shape) }, () => uniform(-1, 1) - 0.5)
    return [name, { dtype: 'float32', shape, data }] as const
  })
  const results = await program.run(Object.fromEntries(feeds))
  await program.release()
  for (let i = 0; i < 5; i++) {
    const [found, expected] = [results[`input ${i}`]!, results[`output ${i}`]!]
    expect(found.shape).toEqual(expected.shape)
    for (const [k, each] of found.data.entries()) expect(Number(each)).toBeCloseTo(Number(expected.data[k]), 4)
  }
})

test('of images of one colour the variance is zero, not less', async () => {
  const x = input('x', 'float32', [3, 1, 5, 5])
  const kernels = input('kernels', 'float32', [2, 1, 3, 3])
  const bias = input('bias', 'float32', [2])
  const program = await compile({ variance: momentsByInput(x, kernels, bias).variance })
  const data = new Float32Array(75)
  const feeds = { x: data, kernels: new Float32Array(18).fill(0.7), bias: new Float32Array(2) }
  const shapes = { x: [3, 1, 5, 5], kernels: [2, 1, 3, 3], bias: [2] } as const
  const results = await program.run(
    Object.fromEntries(
      Object.entries(feeds).map(([name, each]) => {
        return [name, { dtype: 'float32', shape: shapes[name as keyof typeof shapes], data: each } as const]
      }),
    ),
  )
  await program.release()
  expect([...results.variance!.data]).toEqual([0, 0])
})
