import { describe, expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { input } from '../graph/value.ts'
import { metricsByName } from '../metrics/by-name.ts'
import { chord, cosine, dot, euclidean } from '../metrics/index.ts'
import type { Metric } from '../metrics/metric.ts'
import { random } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { byProduct, segmentsFor } from './by-product.ts'
import { nearest } from './index.ts'
import { checkMatrix } from './matrix.ts'

const WIDTH = 16
const all = [...metricsByName.values()]

function tensor(rows: number, value: (row: number, column: number) => number): Tensor {
  const data = Float32Array.from({ length: rows * WIDTH }, (_, i) => value(Math.floor(i / WIDTH), i % WIDTH))
  return { dtype: 'float32', shape: [rows, WIDTH], data }
}

function drawn(rows: number, seed: string, middle = 0): Tensor {
  const { uniform } = random(0, seed)
  return tensor(rows, () => middle + uniform(-1, 1))
}

/** Every distance by the metric's own definition for a pair, sorted as a whole; of equal ones the lower row first. */
async function sorted(queries: Tensor, gallery: Tensor, metric: Metric, k: number): Promise<[number, number][][]> {
  const [asked, size] = [queries.shape[0]!, gallery.shape[0]!]
  const [a, b] = ['a', 'b'].map((name) => input(name, 'float32', [size, WIDTH]))
  const program = await compile({ distances: metric.pairwise(a!, b!) }, { threads: 1 })
  const found: [number, number][][] = []
  for (let query = 0; query < asked; query++) {
    const { distances } = await program.run({
      a: tensor(size, (_, column) => (queries.data as Float32Array)[query * WIDTH + column]!),
      b: gallery,
    })
    const pairs = Array.from(distances!.data as Float32Array, (distance, row): [number, number] => [distance, row])
    found.push(pairs.sort((x, y) => x[0] - y[0] || x[1] - y[1]).slice(0, k))
  }
  await program.release()
  return found
}

async function expectSame(queries: Tensor, gallery: Tensor, metric: Metric, k: number): Promise<void> {
  const found = await nearest(queries, gallery, metric, { k, threads: 1 })
  for (const [query, expected] of (await sorted(queries, gallery, metric, k)).entries()) {
    const [from, to] = [query * found.k, (query + 1) * found.k]
    expect([...found.indices.subarray(from, to)]).toEqual(expected.map(([, row]) => row))
    for (const [i, [distance]] of expected.entries()) expect(found.distances[from + i]).toBeCloseTo(distance, 5)
  }
}

describe.each(all)('$name', (metric) => {
  test('finds what comparing every pair finds, in the same order', async () => {
    // Neither whole blocks nor whole segments, and lengths that differ.
    const gallery = drawn(5003, 'gallery')
    gallery.data.forEach((x, i) => {
      gallery.data[i] = (x as number) * (1 + (Math.floor(i / WIDTH) % 7))
    })
    await expectSame(drawn(9, 'queries'), gallery, metric, 10)
  })

  test('the lower row first where many are the same', async () => {
    const few = drawn(3, 'few').data as Float32Array
    await expectSame(
      drawn(2, 'queries'),
      tensor(3000, (row, column) => few[(row % 3) * WIDTH + column]!),
      metric,
      5,
    )
  })
})

test.each([cosine, chord])('vectors of length one, $name', async (metric) => {
  const gallery = drawn(4500, 'unit')
  for (let row = 0; row < 4500; row++) {
    const vector = (gallery.data as Float32Array).subarray(row * WIDTH, (row + 1) * WIDTH)
    const length = Math.hypot(...vector)
    vector.forEach((x, i) => {
      vector[i] = x / length
    })
  }
  await expectSame(drawn(5, 'queries'), gallery, metric, 7)
})

test('far from the origin, where squares cancel', async () => {
  await expectSame(drawn(5, 'queries', 300), drawn(4500, 'far', 300), euclidean, 7)
})

test('many neighbours, and every number of queries', async () => {
  const gallery = drawn(30_000, 'gallery')
  for (const asked of [1, 3]) await expectSame(drawn(asked, 'many'), gallery, dot, 100)
})

test('says how near all others are at least', async () => {
  const { matrix, lengths } = checkMatrix(drawn(5003, 'gallery'), 'gallery')
  const queries = drawn(4, 'queries')
  for (const metric of all.filter(({ search }) => search)) {
    const segments = segmentsFor(5003, WIDTH, 3)!
    const finder = byProduct(matrix, lengths, { ...metric, search: metric.search! }, segments, { threads: 1 })
    const { rows, count, others } = await finder.find(checkMatrix(queries, 'queries').matrix)
    await finder.release()
    for (const [query, expected] of (await sorted(queries, matrix, metric, 5003)).entries()) {
      const looked = new Set(rows.subarray(query * count, (query + 1) * count))
      const [least] = expected.find(([, row]) => !looked.has(row))!
      expect(least).toBeGreaterThanOrEqual(others[query]!)
      // A bound that leaves everything open would help nobody.
      expect(others[query]!).toBeGreaterThan(expected[2]![0])
    }
  }
})

test('a gallery too small for segments is not cut', () => {
  expect(segmentsFor(100, 128, 10)).toBeUndefined()
  expect(segmentsFor(100_000, 128, 10_000)).toBeUndefined()
  expect(segmentsFor(1_000_000, 128, 10)).toEqual({ length: 32, count: 31_250, kept: 18 })
})
