/** What the CPU's forms give, against the operators that they stand for. */
import { expect, test } from 'vitest'
import { expectClose } from '../../../test/tolerance.ts'
import { writeModel } from '../../onnx/codec.ts'
import { random } from '../../random.ts'
import { open } from '../../runtime/node.ts'
import { size, type Tensor } from '../../tensor.ts'
import { exchanged } from '../exchange.ts'
import { forCpu } from '../for-cpu.ts'
import { rewrite } from '../rewrite.ts'
import { reach, toModel } from '../to-onnx.ts'
import { input, one, type Value } from '../value.ts'

const { uniforms } = random(0, 'forms')

function filled(shape: readonly number[]): Tensor {
  return { dtype: 'float32', shape, data: uniforms(size(shape), -1, 1) }
}

const operatorsOf = (y: Value) => reach([y]).nodes.map(({ operator }) => operator)

async function run(y: Value, feeds: Record<string, Tensor>): Promise<Tensor> {
  const program = await open(writeModel(toModel({ out: y })), { threads: 2 })
  const { out } = await program.run(feeds)
  await program.release()
  return out!
}

const cases: Record<string, [Record<string, number[]>, (values: Record<string, Value>) => Value, string]> = {
  'the left matrices exchanged': [
    { a: [3, 5, 4], b: [3, 5, 6] },
    ({ a, b }) => exchanged(a!).matmul(b!),
    'com.microsoft.FusedMatMul',
  ],
  'both matrices exchanged': [
    { a: [2, 3, 5, 4], b: [2, 3, 6, 5] },
    ({ a, b }) => exchanged(a!).matmul(exchanged(b!)),
    'com.microsoft.FusedMatMul',
  ],
  'a large product with a bias': [
    { a: [700, 8], b: [800, 8], c: [800] },
    ({ a, b, c }) => one('Gemm', [a, b, c], { transB: 1 }),
    'com.microsoft.FusedMatMul',
  ],
  'a sum over rows': [{ a: [70, 40] }, ({ a }) => a!.sum([0]), 'com.microsoft.FusedMatMul'],
  'a sum over two first axes, kept': [
    { a: [7, 9, 5, 8] },
    ({ a }) => a!.sum([1, 0], true),
    'com.microsoft.FusedMatMul',
  ],
  'whether above zero': [{ a: [50] }, ({ a }) => a!.greater(0).cast('float32'), 'HardSigmoid'],
}

test.each(Object.entries(cases))('%s', async (_, [shapes, build, operator]) => {
  const plain = build(Object.fromEntries(Object.entries(shapes).map(([name, s]) => [name, input(name, 'float32', s)])))
  const { y } = rewrite({ y: plain }, forCpu())
  expect(operatorsOf(plain)).not.toContain(operator)
  expect(operatorsOf(y!)).toContain(operator)
  expect(y!.shape).toEqual(plain.shape)
  const feeds = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, filled(shape)]))
  expectClose((await run(y!, feeds)).data, (await run(plain, feeds)).data, 'form')
})

test('the step is exact at zero, for the smallest and the largest numbers', async () => {
  const { y } = rewrite({ y: input('a', 'float32', [8]).greater(0).cast('float32') }, forCpu())
  const data = Float32Array.of(
    0,
    -0,
    1.2e-38,
    -1.2e-38,
    3e38,
    -3e38,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  )
  expect([...(await run(y!, { a: { dtype: 'float32', shape: [8], data } })).data]).toEqual([0, 0, 1, 0, 1, 0, 1, 0])
})

test('log Σ exp of rows with infinities', async () => {
  const x = input('x', 'float32', [4, 2])
  const { y } = rewrite({ y: x.logSumExp([1]) }, forCpu())
  expect(operatorsOf(y!)).toContain('LogSoftmax')
  const most = Number.POSITIVE_INFINITY
  const data = Float32Array.of(-most, -most, -most, 2, 1, most, 3, -most)
  expect([...(await run(y!, { x: { dtype: 'float32', shape: [4, 2], data } })).data]).toEqual([-most, 2, most, 3])
})

test.each<[string, Value]>([
  [
    'a small product with a bias',
    one('Gemm', [input('a', 'float32', [9, 8]), input('b', 'float32', [8, 7]), input('c', 'float32', [7])]),
  ],
  ['a sum over the last axis', input('a', 'float32', [70, 40]).sum([1])],
  ['a sum of very many rows', input('a', 'float32', [70_000, 40]).sum([0])],
  [
    'a product with a bias for each row',
    one('Gemm', [input('a', 'float32', [1024, 8]), input('b', 'float32', [8, 1024]), input('c', 'float32', [1024, 1])]),
  ],
  [
    'a product of integers',
    input('a', 'int32', [3, 2])
      .transpose()
      .matmul(input('b', 'int32', [3, 4])),
  ],
  ['whether above one', input('a', 'float32', [5]).greater(1).cast('float32')],
  ['a product as it is', input('a', 'float32', [3, 4]).matmul(input('b', 'float32', [4, 5]))],
])('%s stays as it is', (_, y) => {
  for (const block of [undefined, 16]) expect(rewrite({ y }, forCpu(block)).y).toBe(y)
})

test('two exchanges in a row are none', () => {
  const a = input('a', 'float32', [2, 3, 4])
  expect(exchanged(exchanged(a))).toBe(a)
  expect(a.transpose([1, 2, 0]).transpose([1, 0, 2]).shape).toEqual([4, 3, 2])
})
