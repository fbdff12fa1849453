import { expect, test } from 'vitest'
import { euclidean } from '../metrics/index.ts'
import type { Tensor } from '../tensor.ts'
import { evaluate } from './index.ts'

const line = (...values: number[]): Tensor => ({
  dtype: 'float32',
  shape: [values.length, 1],
  data: Float32Array.from(values),
})
const none = (count: number) => new Array<null>(count).fill(null)

test('relevance is what a table says, and NDCG takes its grades for gains', async () => {
  const gallery = { embeddings: line(1, 2, 3, 4), labels: none(4) }
  const relevance = new Map([
    [
      0,
      new Map([
        [1, 1],
        [3, 3],
        [2, 0],
      ]),
    ],
  ])
  const found = await evaluate({ embeddings: line(0), labels: none(1) }, euclidean, { gallery, relevance })
  expect(found).toMatchObject({ queries: 1, precisionAt1: 0, rPrecision: 0.5, meanReciprocalRank: 0.5 })
  expect(found.recallAtK).toEqual({ 1: 0, 2: 1, 4: 1, 8: 1 })
  const [gained, ideal] = [1 / Math.log2(3) + 3 / Math.log2(5), 3 + 1 / Math.log2(3)]
  expect(found.ndcgAtK[5]).toBeCloseTo(gained / ideal, 10)
  expect(found).not.toHaveProperty('verification')
  expect(found.confidence?.precisionAt1).toEqual([0, 0])
})

test('a table that does not fit is refused', async () => {
  const items = { embeddings: line(0, 1, 2), labels: none(3) }
  const of = (query: number, item: number, grade: number) =>
    evaluate(items, euclidean, { relevance: new Map([[query, new Map([[item, grade]])]]) })
  await expect(of(3, 0, 1)).rejects.toThrow(/query 3; the queries are 0 to 2/)
  await expect(of(0, 7, 1)).rejects.toThrow(/item 7; the items are 0 to 2/)
  await expect(of(0, 1, -1)).rejects.toThrow(/grade of item 1 for query 0 is -1/)
  await expect(of(0, 1, 0)).rejects.toThrow(/a relevant item with a grade above 0/)
})

test('items of the query’s own group are passed over', async () => {
  // By distance, each finds its neighbour of the same camera first.
  const items = { embeddings: line(0, 1, 10, 11), labels: ['a', 'a', 'a', 'b'] }
  expect((await evaluate(items, euclidean)).precisionAt1).toBeCloseTo(2 / 3, 10)
  const seen = await evaluate({ ...items, groups: [0, 0, 1, 1] }, euclidean)
  expect(seen).toMatchObject({ queries: 3, precisionAt1: 1 })
  await expect(evaluate({ ...items, groups: [0, 0, 0, 1] }, euclidean)).rejects.toThrow(/outside its group/)
})

test('classes are listed worst first, with intervals beside the means', async () => {
  const items = { embeddings: line(0, 1, 50, 70, 60, 90), labels: ['near', 'near', 'far', 'far', 'lost', 'lost'] }
  const { perClass, confidence, precisionAt1 } = await evaluate(items, euclidean)
  expect(perClass!.map(({ label }) => label).at(-1)).toBe('near')
  expect(perClass![0]!.meanAveragePrecisionAtR).toBe(0)
  expect(perClass!.reduce((sum, { queries }) => sum + queries, 0)).toBe(6)
  expect(confidence!.precisionAt1[0]).toBeLessThan(precisionAt1)
  expect(confidence!.precisionAt1[1]).toBeGreaterThan(precisionAt1)
})
