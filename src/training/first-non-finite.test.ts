/** The culprit is named: not what carries the loss of numbers on, and not what is masked away. */
import { expect, test } from 'vitest'
import { differentiate } from '../graph/differentiate.ts'
import { constant, input, type Value } from '../graph/value.ts'
import type { Tensors } from '../runtime/session.ts'
import { toTypedArray } from '../tensor.ts'
import { firstNonFinite } from './first-non-finite.ts'

const x = input('x', 'float32', [3])
const weight = input('weight', 'float32', [3])
const feeds = (xs: number[], weights = [1, 2, 3]): Tensors => ({
  x: { dtype: 'float32', shape: [3], data: toTypedArray('float32', xs) },
  weight: { dtype: 'float32', shape: [3], data: toTypedArray('float32', weights) },
})
const minusInfinity = constant('float32', [], [Number.NEGATIVE_INFINITY])

test.each<[string, Value, number[], RegExp]>([
  [
    'log of zero',
    x.mul(weight).log().sum().add(1),
    [0, 1, 2],
    /^Log of Mul's float32 \[3\] from 0 to 6, computed from x, weight$/,
  ],
  [
    'division by zero',
    weight.div(x.sub(x)).sum(),
    [1, 2, 3],
    /^Div of weight float32 \[3\] from 1 to 3 and Sub's float32 \[3\] from 0 to 0/,
  ],
  ['overflow', x.exp().mul(weight).sum(), [1, 2, 1000], /^Exp of x float32 \[3\] from 1 to 1e\+3, computed from x$/],
  ['root of what is negative', x.sqrt().add(weight).mean(), [-4, 1, 1], /^Sqrt of x float32 \[3\] from -4 to 1/],
  ['infinity less infinity: the first infinity', x.exp().sub(x.mul(2).exp()).sum(), [100, 0, 0], /^Exp of x float32/],
  ['a product that overflows', x.mul(x).sum(), [1e30, 0, 0], /^Mul of x float32 \[3\] from 0 to 1e\+30/],
])('%s', async (_, output, xs, message) => {
  expect(await firstNonFinite({ output }, feeds(xs))).toMatch(message)
})

test('an infinity that is masked away is not taken for the culprit', async () => {
  const masked = x.greater(0).where(x, 1).log().add(x.greater(0).where(x.log(), minusInfinity).exp())
  const output = masked.sum().add(weight.sub(weight).log().sum())
  expect(await firstNonFinite({ output }, feeds([0, 1, 2]))).toMatch(/^Log of Sub's/)
  expect(await firstNonFinite({ output: masked.sum() }, feeds([0, 1, 2]))).toBeUndefined()
})

test('numbers that come in lost, and a gradient that is lost where the value is not', async () => {
  expect(await firstNonFinite({ output: x.sum() }, feeds([Number.NaN, 0, 0]))).toBe(
    'x float32 [3] is not finite as it is fed',
  )
  const value = x.withGradient({ inputs: [x], rule: (g) => [g.mul(x.sub(x).log())] }).sum()
  const [gradient] = differentiate(value, [x])
  expect(await firstNonFinite({ value }, feeds([0, 1, 2]))).toBeUndefined()
  expect(await firstNonFinite({ value, gradient: gradient! }, feeds([0, 1, 2]))).toMatch(/^Log of Sub's/)
})
