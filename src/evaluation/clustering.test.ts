import { expect, test } from 'vitest'
import { angular, chord, cosine, euclidean, manhattan, snr, squaredEuclidean } from '../metrics/index.ts'
import type { Tensor } from '../tensor.ts'
import { agreement, cluster } from './index.ts'

test('partitions that say the same agree fully, whatever the numbers are; one that says nothing does not', () => {
  const same = agreement([0, 0, 1, 1, 2], [7, 7, 3, 3, 5])
  expect(same.nmi).toBeCloseTo(1, 10)
  expect(same.ami).toBeCloseTo(1, 10)
  expect(agreement([0, 0, 1, 1], [0, 0, 0, 0])).toEqual({ nmi: 0, ami: 0 })
  expect(agreement([0, 0], [1, 1])).toEqual({ nmi: 1, ami: 1 })
})

/** Directions that are far apart, at lengths from 1 to 9, of three classes. */
const angles = [0, 0.05, 0.1, 2, 2.05, 2.1, 4, 4.05, 4.1]
const vectors = (length: (i: number) => number): Tensor => ({
  dtype: 'float32',
  shape: [9, 2],
  data: Float32Array.from(angles.flatMap((angle, i) => [Math.cos(angle) * length(i), Math.sin(angle) * length(i)])),
})
const labels = ['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c']

test.each([cosine, chord, angular, euclidean, squaredEuclidean, manhattan, snr])(
  'clear clusters are found: $name',
  async (metric) => {
    const { nmi } = await cluster({ embeddings: vectors(() => 1), labels }, metric)
    if (metric !== snr) expect(nmi).toBeCloseTo(1, 6)
    else expect(nmi).toBeGreaterThanOrEqual(0)
  },
)

test('a metric of directions does not look at lengths', async () => {
  const { nmi } = await cluster({ embeddings: vectors((i) => 1 + i), labels }, cosine)
  expect(nmi).toBeCloseTo(1, 6)
})

test('more clusters than there are different items end, and items without a class are left out', async () => {
  const collapsed: Tensor = { dtype: 'float32', shape: [5, 2], data: new Float32Array(10).fill(1) }
  const { ami } = await cluster({ embeddings: collapsed, labels: ['a', 'a', 'b', 'c', null] }, cosine)
  expect(Number.isFinite(ami)).toBe(true)
  await expect(cluster({ embeddings: collapsed, labels: [null, null, null, null, null] }, cosine)).rejects.toThrow(
    /No item has a class/,
  )
})
