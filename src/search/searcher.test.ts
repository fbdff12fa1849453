import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DataError } from '../errors.ts'
import { cosine, euclidean, squaredEuclidean } from '../metrics/index.ts'
import { random } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { nearest, openSearcher } from './index.ts'

const tensor = (rows: number[][], width = rows[0]?.length ?? 2): Tensor => ({
  dtype: 'float32',
  shape: [rows.length, width],
  data: Float32Array.from(rows.flat()),
})

const definitions = {
  squaredEuclidean: (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0),
  euclidean: (a: number[], b: number[]) => Math.hypot(...a.map((x, i) => x - b[i]!)),
  cosine: (a: number[], b: number[]) => {
    const length = Math.hypot(...a) * Math.hypot(...b)
    return 1 - (length > 0 ? a.reduce((sum, x, i) => sum + x * b[i]!, 0) / length : 0)
  },
}

const row = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 })

test('finds what the definition finds, in blocks of any size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 12 }),
      fc.array(row, { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 1, max: 30 }),
      fc.record({ queries: fc.integer({ min: 1, max: 13 }), gallery: fc.integer({ min: 1, max: 26 }) }),
      fc.constantFrom(cosine, euclidean, squaredEuclidean),
      async (queries, gallery, k, blocks, metric) => {
        const found = await nearest(tensor(queries), tensor(gallery), metric, { k, blocks })
        expect(found.k).toBe(Math.min(k, gallery.length))
        for (const [i, query] of queries.entries()) {
          const all = gallery.map((each) => definitions[metric.name as keyof typeof definitions](query, each))
          const expected = [...all].sort((a, b) => a - b).slice(0, k)
          const indices = [...found.indices.subarray(i * found.k, (i + 1) * found.k)]
          expect(new Set(indices).size).toBe(found.k)
          for (const [rank, index] of indices.entries()) {
            expect(found.distances[i * found.k + rank]).toBeCloseTo(expected[rank]!, 2)
            expect(all[index]).toBeCloseTo(expected[rank]!, 2)
          }
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('equal distances come in the order of the gallery, across blocks too', async () => {
  const gallery = tensor([
    [1, 0],
    [0, 1],
    [1, 0],
    [1, 0],
    [0, 1],
    [1, 0],
  ])
  const found = await nearest(tensor([[1, 0]]), gallery, euclidean, { k: 6, blocks: { queries: 1, gallery: 2 } })
  expect([...found.indices]).toEqual([0, 2, 3, 5, 1, 4])
  const { uniform } = random(0, 'direction')
  const many = tensor(Array(100).fill(Array.from({ length: 8 }, () => uniform(-1, 1))))
  const same = await nearest(many, many, cosine, { k: 3, blocks: { queries: 7, gallery: 9 } })
  expect([...same.indices.subarray(0, 3)]).toEqual([0, 1, 2])
})

test('distances stay within the range of the metric', async () => {
  const { uniform } = random(1, 'direction')
  const rows = tensor(Array.from({ length: 200 }, () => Array.from({ length: 32 }, () => uniform(-1, 1))))
  const { distances } = await nearest(rows, rows, cosine, { k: 1 })
  expect(Math.min(...distances)).toBeGreaterThanOrEqual(0)
})

test('a searcher can be asked again, with another number of queries', async () => {
  const searcher = openSearcher(tensor([[0], [5], [9]]), euclidean, { k: 1 })
  expect([...(await searcher.nearest(tensor([[8]]))).indices]).toEqual([2])
  expect([...(await searcher.nearest(tensor([[1], [4]]))).indices]).toEqual([0, 1])
  await searcher.release()
})

test('what cannot be searched is said', async () => {
  const rows = tensor([[1, 2]])
  await expect(nearest(rows, tensor([], 2), cosine, { k: 1 })).rejects.toThrow(/gallery is empty/)
  await expect(nearest(tensor([[1]]), rows, cosine, { k: 1 })).rejects.toThrow(
    /queries have 1 dimensions, the gallery 2/,
  )
  await expect(nearest(rows, tensor([[1, Number.NaN]]), cosine, { k: 1 })).rejects.toThrow(DataError)
  await expect(nearest(tensor([[1, 1 / 0]]), rows, cosine, { k: 1 })).rejects.toThrow(
    /Row 0 of the queries holds Infinity/,
  )
})
