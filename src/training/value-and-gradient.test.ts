import { expect, expectTypeOf, test } from 'vitest'
import { DataError } from '../errors.ts'
import { triplet } from '../losses/index.ts'
import { valueAndGradient } from './index.ts'

const loss = triplet({ margin: 1 })
const rows = [
  [1, 0],
  [0.5, 0.5],
  [0, 1],
]
const labels = ['cat', 'cat', 'dog']

test('nested arrays and flat ones give the same, each in its own form', async () => {
  const nested = await valueAndGradient(loss, { embeddings: rows, labels })
  const flat = await valueAndGradient(loss, {
    embeddings: { data: Float64Array.from(rows.flat()), shape: [3, 2] },
    labels,
  })
  expect(flat.value).toBe(nested.value)
  expect(flat.gradient).toBeInstanceOf(Float32Array)
  expect([...flat.gradient]).toEqual(nested.gradient.flat())
  expectTypeOf(nested.gradient).toEqualTypeOf<number[][]>()
  expectTypeOf(flat.gradient).toEqualTypeOf<Float32Array>()
})

test('labels may be numbers, strings or typed arrays', async () => {
  const values = await Promise.all(
    [labels, [7, 7, -1], Int32Array.of(3, 3, 4)].map((each) =>
      valueAndGradient(loss, { embeddings: rows, labels: each }),
    ),
  )
  expect(new Set(values.map(({ value }) => value)).size).toBe(1)
})

test('what does not fit together is said', async () => {
  const check = (embeddings: number[][] | { data: number[]; shape: [number, number] }, given: string[] = labels) =>
    expect(valueAndGradient(loss, { embeddings, labels: given } as never)).rejects
  await check(rows, ['cat']).toThrow('There are 1 labels for 3 embeddings; expected one label for each.')
  await check([[1, 0], [1], [0, 1]]).toThrow('Row 1 of the embeddings has 1 numbers, row 0 has 2')
  await check([
    [1, 0],
    [1, Number.NaN],
    [0, 1],
  ]).toThrow('Row 1 of the embeddings holds NaN; expected finite float32 numbers.')
  await check({ data: [1, 2, 3], shape: [2, 2] }).toThrow('shape [2, 2] and 3 numbers')
  await check([]).toThrow(DataError)
  const tuples = { anchor: [[1, 0]], positive: [[1, 0]], negative: [[Number.POSITIVE_INFINITY, 0]] }
  await expect(valueAndGradient(loss, tuples)).rejects.toThrow('Row 0 of the rows of negative holds Infinity')
})
