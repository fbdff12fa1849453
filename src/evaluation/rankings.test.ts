import { expect, test } from 'vitest'
import { cosine, euclidean } from '../metrics/index.ts'
import { random } from '../random.ts'
import { isFast } from '../search/searcher.ts'
import type { LabelledEmbeddings } from './embedded.ts'
import { type EvaluateOptions, evaluate } from './index.ts'

const WIDTH = 8

function drawn(rows: number, seed: string, classes: number): LabelledEmbeddings {
  const { uniform, integer } = random(0, seed)
  const data = Float32Array.from({ length: rows * WIDTH }, () => uniform(-1, 1))
  return {
    embeddings: { dtype: 'float32', shape: [rows, WIDTH], data },
    labels: Array.from({ length: rows }, () => (integer(10) === 0 ? null : integer(classes))),
    groups: Int32Array.from({ length: rows }, () => integer(rows / 4) - 1),
  }
}

const items = drawn(3000, 'items', 500)
const gallery = drawn(2500, 'gallery', 500)
const relevance = new Map(
  [...Array(50).keys()].map((query) => [
    query,
    new Map([
      [query * 7, 2],
      [query * 9 + 1, 1],
    ]),
  ]),
)

test.each<[string, EvaluateOptions]>([
  ['each other', {}],
  ['a gallery', { gallery }],
  ['what a table says', { gallery, relevance }],
])('searching for few finds the ranks that all distances give: %s', async (_, options) => {
  for (const metric of [cosine, euclidean]) {
    expect(isFast(gallery.embeddings, metric, 40)).toBe(true)
    const every = { ...metric, search: undefined }
    const [found, expected] = await Promise.all(
      [metric, every].map((each) => evaluate(items, each, { ...options, only: 'retrieval', threads: 1 })),
    )
    expect(found).toEqual(expected)
  }
})

test('a collapsed embedding scores by chance where few are searched for, too', async () => {
  const same = {
    ...items,
    groups: undefined,
    embeddings: { ...items.embeddings, data: new Float32Array(3000 * WIDTH).fill(1) },
  }
  const { precisionAt1 } = await evaluate(same, cosine, { only: 'retrieval', threads: 1 })
  expect(precisionAt1).toBeLessThan(0.02)
})
