/** Products in blocks give what plain ones give, and what lies between two of them stays in blocks. */
import { expect, test } from 'vitest'
import { expectCompiledSame } from '../../../test/compiled.ts'
import { random } from '../../random.ts'
import { size, type Tensor } from '../../tensor.ts'
import { differentiate } from '../differentiate.ts'
import { exchanged } from '../exchange.ts'
import { forCpu } from '../for-cpu.ts'
import { rewrite } from '../rewrite.ts'
import { reach } from '../to-onnx.ts'
import { input, one, type Value } from '../value.ts'

const { uniforms } = random(0, 'products')

/** How often each of the operators of blocks is there. */
function counted(outputs: Record<string, Value>): Record<string, number> {
  const counts = { Conv: 0, ReorderInput: 0, ReorderOutput: 0, FusedMatMul: 0 }
  for (const { operator } of reach(Object.values(outputs)).nodes) {
    const name = operator.slice(operator.lastIndexOf('.') + 1) as keyof typeof counts
    if (operator.startsWith('com.microsoft.')) counts[name]++
  }
  return counts
}

const inputsOf = (shapes: readonly (readonly number[])[]) => shapes.map((shape, i) => input(`x${i}`, 'float32', shape))

async function expectSame(outputs: Record<string, Value>, shapes: readonly (readonly number[])[]) {
  const feeds = shapes.map((shape, i): [string, Tensor] => {
    return [`x${i}`, { dtype: 'float32', shape, data: uniforms(size(shape), -0.25, 0.25) }]
  })
  await expectCompiledSame(outputs, Object.fromEntries(feeds))
}

const [ROWS, INNER, COLUMNS] = [1024, 1600, 1040]
const left = [ROWS, INNER]
const right = [INNER, COLUMNS]
const turned = (shape: readonly number[]) => shape.toReversed()

type Build = (x: Value[]) => Value
const multiply: Build = ([a, b]) => a!.matmul(b!)
const gemm = (transA: number, transB: number): Build => {
  return (x) => one('Gemm', x, { transA, transB })
}

test.each<[string, number[][], Build]>([
  ['two matrices', [left, right], multiply],
  ['the left one transposed', [turned(left), right], gemm(1, 0)],
  ['the right one transposed, with a bias', [left, turned(right), [COLUMNS]], gemm(0, 1)],
  ['both transposed', [turned(left), turned(right)], gemm(1, 1)],
  ['both exchanged', [turned(left), turned(right)], ([a, b]) => exchanged(a!).matmul(exchanged(b!))],
  ['columns between blocks', [left, [INNER, 1035], [1035]], gemm(0, 0)],
  ['rows between blocks', [[1021, INNER], right], multiply],
  ['a stack and one', [[8, 128, INNER], right], multiply],
])('%s', async (_, shapes, build) => {
  const y = build(inputsOf(shapes))
  const rewritten = rewrite({ y }, forCpu(16))
  expect(counted(rewritten)).toEqual({ Conv: 1, ReorderInput: 2, ReorderOutput: 1, FusedMatMul: 0 })
  expect(rewritten.y!.shape).toEqual(y.shape)
  await expectSame({ y }, shapes)
})

test('between two products, Gelu and a row that is added stay in blocks', async () => {
  const shapes = [[8, 128, INNER], right, [COLUMNS], turned(right)]
  const [x, wide, row, narrow] = inputsOf(shapes) as [Value, Value, Value, Value]
  const y = one('Gelu', [x.matmul(wide).add(row)])
    .mul(2)
    .matmul(narrow)
  // The image and both weights go in, the result comes out.
  const counts = { Conv: 2, ReorderInput: 3, ReorderOutput: 1, FusedMatMul: 0 }
  expect(counted(rewrite({ y }, forCpu(16)))).toEqual(counts)
  await expectSame({ y }, shapes)
})

test('what is asked for besides comes out of its blocks', async () => {
  const shapes = [left, right, turned(right)]
  const [x, wide, narrow] = inputsOf(shapes) as [Value, Value, Value]
  const inner = x.matmul(wide)
  await expectSame({ inner, squares: inner.square().sum([1]), y: inner.relu().matmul(narrow) }, shapes)
})

test('gradients through two layers, of their biases too', async () => {
  const shapes = [left, turned(right), [COLUMNS], right, [INNER]]
  const values = inputsOf(shapes) as [Value, Value, Value, Value, Value]
  const [x, first, bias, second, other] = values
  const hidden = one('Gemm', [x, first, bias], { transB: 1 }).relu()
  const loss = one('Gemm', [hidden, second, other], { transB: 1 }).square().mean()
  const gradients = Object.fromEntries(differentiate(loss, values).map((each, i) => [`g${i}`, each]))
  // Two forwards, four backwards, and two sums, the gradients of the biases: their addends stay in blocks.
  expect(counted(rewrite({ loss, ...gradients }, forCpu(16)))).toMatchObject({ Conv: 8, FusedMatMul: 0 })
  await expectSame({ loss, ...gradients }, shapes)
})

const [a, b] = inputsOf([left, right]) as [Value, Value]

test.each<[string, Value, number]>([
  [
    'a small product',
    multiply(
      inputsOf([
        [128, 128],
        [128, 128],
      ]),
    ),
    16,
  ],
  [
    'a thin product',
    multiply(
      inputsOf([
        [2048, 512],
        [512, 16],
      ]),
    ),
    16,
  ],
  [
    'an inner extent between blocks',
    multiply(
      inputsOf([
        [ROWS, 1500],
        [1500, COLUMNS],
      ]),
    ),
    16,
  ],
  [
    'a stack of products',
    multiply(
      inputsOf([
        [2, ...left],
        [2, ...right],
      ]),
    ),
    16,
  ],
  ['a multiple of a product', one('Gemm', [a, b], { alpha: 2 }), 16],
  ['a product where blocks are of 8', a.matmul(b), 8],
])('%s stays as it is', (_, y, block) => {
  expect(rewrite({ y }, forCpu(block)).y).toBe(y)
})
