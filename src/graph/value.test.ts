import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { GraphError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { differentiate } from './differentiate.ts'
import { operators } from './operators/table.ts'
import { apply, concat, constant, input, scalar, type Value } from './value.ts'

const tensor = (shape: number[], values: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
})

async function evaluate(outputs: Record<string, Value>, feeds: Record<string, Tensor> = {}, threads = 2) {
  const program = await compile(outputs, { threads })
  const results = await program.run(feeds)
  await program.release()
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]))
}

test('shape mistakes are found while building, by operator, with what was found', () => {
  const [a, b] = [input('a', 'float32', [2, 3]), input('b', 'float32', [4, 3])]
  expect(() => a.add(b)).toThrow(GraphError)
  expect(() => a.add(b)).toThrow(
    'Add(a float32 [2, 3], b float32 [4, 3]): shapes [2, 3] and [4, 3] cannot be broadcast.',
  )
  expect(() => a.relu().add(b)).toThrow(/^Add\(Relu's float32 \[2, 3\], b float32 \[4, 3\]\)/)
  expect(() => a.matmul(b)).toThrow(/MatMul.*inner extents differ/)
  expect(() => a.reshape([4, 2])).toThrow(/Reshape.*cannot become \[4, 2\]/)
  expect(() => a.sum([2])).toThrow(/axis 2 is outside of a tensor of 2 axes/)
  expect(() => a.transpose([0, 0])).toThrow(/no order of the axes/)
  expect(() => concat([a, b.slice(1, 0, 2)], 0)).toThrow(/cannot be joined along axis 0/)
  expect(() => a.topK(4, 1)).toThrow(/there are no 4 elements/)
  expect(() => a.add(input('c', 'int32', [2, 3]))).toThrow(/types differ/)
  expect(() => a.exp().cast('int32').exp()).toThrow(/expected float32, found int32/)
  expect(() => constant('float32', [3], [1, 2])).toThrow(/needs 3 values, found 2/)
  expect(() => apply('Dropout', [a])).toThrow(/operator Dropout is not known/)
})

test('methods compute what NumPy computes', async () => {
  const x = constant('float32', [2, 3], [1, -2, 3, -4, 5, -6])
  const { values, indices } = x.topK(2, 1)
  const results = await evaluate({
    sum: x.sum([1]),
    cumSum: x.cumSum(1),
    reversed: x.cumSum(1, { reverse: true }),
    exclusive: x.cumSum(1, { exclusive: true }),
    backwards: x.slice(1, -1, -100, -1),
    steps: x.slice(1, 0, 3, 2),
    where: x.greater(0).where(x, 0),
    values,
    indices,
    argMin: x.argMin(1),
    padded: x.slice(0, 0, 1).pad([0, 1, 0, 0]),
    scattered: x.scatterAdd(constant('int64', [2, 2], [0, 0, 1, 1]), constant('float32', [2, 2], [1, 1, 2, 2]), 1),
    joined: concat([x.slice(1, 0, 1), x.slice(1, 2, 3)], 1),
  })
  expect(results).toEqual({
    sum: [2, -5],
    cumSum: [1, -1, 2, -4, 1, -5],
    reversed: [2, 1, 3, -5, -1, -6],
    exclusive: [0, 1, -1, 0, -4, 1],
    backwards: [3, -2, 1, -6, 5, -4],
    steps: [1, 3, -4, -6],
    where: [1, 0, 3, 0, 5, 0],
    values: [3, 1, 5, -4],
    indices: [2, 0, 1, 0],
    argMin: [1, 2],
    padded: [0, 1, -2, 3],
    scattered: [3, -2, 3, -4, 9, -6],
    joined: [1, 3, -4, -6],
  })
})

test('a repeated index adds up exactly in the gradient, at two threads, every time', async () => {
  const rows = 4
  const count = 20_000
  const indices = constant(
    'int64',
    [count],
    Array.from({ length: count }, (_, i) => i % rows),
  )
  const x = input('x', 'float32', [rows, 8])
  const [gradient] = differentiate(x.gather(indices).sum(), [x])
  const program = await compile({ gradient: gradient! }, { threads: 2 })
  for (let run = 0; run < 20; run++) {
    const results = await program.run({ x: tensor([rows, 8], Array(32).fill(1)) })
    expect(new Set(results.gradient!.data as Float32Array)).toEqual(new Set([count / rows]))
  }
  await program.release()
})

test('operators that the runtime gets silently wrong are not there to be used', () => {
  for (const name of [
    'Dropout',
    'Bernoulli',
    'RandomNormal',
    'RandomUniform',
    'RandomNormalLike',
    'RandomUniformLike',
    'ScatterND',
  ]) {
    expect(operators).not.toHaveProperty(name)
  }
})

test('gradients can be differentiated again', async () => {
  const x = input('x', 'float32', [3])
  const [first] = differentiate(x.pow(3).sum(), [x])
  const [second] = differentiate(first!.sum(), [x])
  const results = await evaluate({ first: first!, second: second! }, { x: tensor([3], [1, 2, -1]) })
  expect(results).toEqual({ first: [3, 12, 3], second: [6, 12, -6] })
})

test('a gradient that does not exist is zero, and one that is cut off stops there', async () => {
  const [x, y] = [input('x', 'float32', [2]), input('y', 'float32', [2])]
  const output = x.mul(x.detach()).sum()
  const [byX, byY] = differentiate(output, [x, y])
  expect(await evaluate({ byX: byX!, byY: byY! }, { x: tensor([2], [3, 4]) })).toEqual({ byX: [3, 4], byY: [0, 0] })
  expect(() => differentiate(x, [x])).toThrow(/Only a scalar/)
})

test('gradients stay finite where slopes are infinite', async () => {
  const x = input('x', 'float32', [3])
  const [root] = differentiate(x.sqrt().sum(), [x])
  const [absolute] = differentiate(x.abs().sum(), [x])
  const [power] = differentiate(scalar(0).pow(x.add(1)).sum(), [x])
  const results = await evaluate({ root: root!, absolute: absolute!, power: power! }, { x: tensor([3], [0, 4, 0]) })
  expect(results).toEqual({ root: [0, 0.25, 0], absolute: [0, 1, 0], power: [0, 0, 0] })
})

test('equal maxima of a pool share its gradient, and rows that no window covers get none', async () => {
  const x = input('x', 'float32', [1, 1, 3, 3])
  const pooled = apply('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] })[0]!
  const [gradient] = differentiate(pooled.sum(), [x])
  const results = await evaluate({ gradient: gradient! }, { x: tensor([1, 1, 3, 3], [5, 5, 9, 1, 5, 9, 9, 9, 9]) })
  const third = Math.fround(1 / 3)
  expect(results.gradient).toEqual([third, third, 0, 0, third, 0, 0, 0, 0])
})

test('two inputs of one name are refused', async () => {
  const sum = input('x', 'float32', [1]).add(input('x', 'float32', [1]))
  await expect(compile({ sum })).rejects.toThrow(/Two inputs of one graph are named x/)
})

test('an output of the name of an input is refused', async () => {
  const x = input('x', 'float32', [1])
  await expect(compile({ x: x.neg() })).rejects.toThrow(/An input and an output of one graph are both named x/)
})

test('a deep graph is differentiated without exhausting the stack', () => {
  const x = input('x', 'float32', [1])
  let y: Value = x
  for (let i = 0; i < 20_000; i++) y = y.add(1)
  expect(differentiate(y.sum(), [x])).toHaveLength(1)
})
