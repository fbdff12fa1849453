import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DataError } from '../errors.ts'
import { euclidean } from '../metrics/index.ts'
import type { Tensor } from '../tensor.ts'
import { evaluate } from './index.ts'

const tensor = (values: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape: [values.length, 1],
  data: Float32Array.from(values),
})

type Label = string | null
interface Items {
  values: number[]
  labels: Label[]
}

/** The measures of one query from the definition: the labels of the others by distance, then by row. */
function define(value: number, label: Label, others: readonly { value: number; label: Label }[]) {
  const ranked = others.map((each, row) => ({ ...each, row, distance: Math.abs(each.value - value) }))
  ranked.sort((a, b) => a.distance - b.distance || a.row - b.row)
  const hits: number[] = ranked.map((each) => Number(each.label === label))
  const relevant = hits.reduce((sum, hit) => sum + hit, 0)
  const first = hits.slice(0, relevant)
  const precisionAt = (rank: number) => hits.slice(0, rank + 1).reduce((sum, hit) => sum + hit, 0) / (rank + 1)
  return {
    relevant,
    recall: [1, 2, 4, 8].map((k) => Number(hits.slice(0, k).includes(1))),
    rPrecision: first.reduce((sum, hit) => sum + hit, 0) / relevant,
    map: first.reduce((sum, hit, rank) => sum + hit * precisionAt(rank), 0) / relevant,
  }
}

function defineAll({ values, labels }: Items, gallery?: Items) {
  const measures = values.flatMap((value, i) => {
    if (labels[i] === null) return []
    const items = gallery ?? { values, labels }
    const others = items.values.map((each, row) => ({ value: each, label: items.labels[row]! }))
    const measured = define(value, labels[i]!, gallery ? others : others.filter((_, row) => row !== i))
    return measured.relevant > 0 ? [measured] : []
  })
  const mean = (of: (each: (typeof measures)[number]) => number) =>
    measures.reduce((sum, each) => sum + of(each), 0) / measures.length
  return {
    queries: measures.length,
    recall: [0, 1, 2, 3].map((i) => mean((each) => each.recall[i]!)),
    rPrecision: mean((each) => each.rPrecision),
    map: mean((each) => each.map),
  }
}

/** The Mian–Chowla sequence: no two pairs of it are equally far apart, so that rounding decides no rank. */
const sidon = [1, 2, 4, 8, 13, 21, 31, 45, 66, 81, 97, 123, 148, 182, 204, 252, 290, 361, 401, 475]

/** Items at some of these places, in classes of any sizes. */
const items = fc.shuffledSubarray(sidon, { minLength: 2 }).chain((values) =>
  fc.record({
    values: fc.constant(values),
    labels: fc.array(fc.constantFrom<Label>('a', 'b', 'c', null), {
      minLength: values.length,
      maxLength: values.length,
    }),
  }),
)

test('measures are those of their definitions, unlabelled and single items included', async () => {
  await fc.assert(
    fc.asyncProperty(items, fc.option(items, { nil: undefined }), async (own, gallery) => {
      const expected = defineAll(own, gallery)
      const options = gallery && { gallery: { embeddings: tensor(gallery.values), labels: gallery.labels } }
      const found = evaluate({ embeddings: tensor(own.values), labels: own.labels }, euclidean, options)
      if (expected.queries === 0) {
        await expect(found).rejects.toThrow(DataError)
        return
      }
      const { recallAtK, ...rest } = await found
      expect(rest).toMatchObject({ metric: 'euclidean', items: own.values.length, queries: expected.queries })
      const recall = Object.values(recallAtK)
      for (const [i, value] of expected.recall.entries()) expect(recall[i]).toBeCloseTo(value, 10)
      expect(rest.precisionAt1).toBeCloseTo(expected.recall[0]!, 10)
      expect(rest.rPrecision).toBeCloseTo(expected.rPrecision, 10)
      expect(rest.meanAveragePrecisionAtR).toBeCloseTo(expected.map, 10)
    }),
    { numRuns: 60 },
  )
})

test('a gallery of the same items, differently embedded, is compared with each query but its own row', async () => {
  await fc.assert(
    fc.asyncProperty(items, fc.integer(), async ({ values, labels }, by) => {
      // A quarter aside, no two of the gallery are as far from a query.
      const moved = values.map((_, i) => values[(i + Math.abs(by)) % values.length]! + 0.25)
      const measures = values.flatMap((value, i) => {
        const others = moved.map((each, row) => ({ value: each, label: labels[row]! })).filter((_, row) => row !== i)
        const measured = define(value, labels[i]!, others)
        return labels[i] !== null && measured.relevant > 0 ? [measured] : []
      })
      const gallery = { embeddings: tensor(moved), labels }
      const found = evaluate({ embeddings: tensor(values), labels }, euclidean, { gallery, own: true })
      if (measures.length === 0) {
        await expect(found).rejects.toThrow(DataError)
        return
      }
      const { precisionAt1, meanAveragePrecisionAtR, queries } = await found
      const mean = (of: (each: (typeof measures)[number]) => number) =>
        measures.reduce((sum, each) => sum + of(each), 0) / measures.length
      expect(queries).toBe(measures.length)
      expect(precisionAt1).toBeCloseTo(
        mean((each) => each.recall[0]!),
        10,
      )
      expect(meanAveragePrecisionAtR).toBeCloseTo(
        mean((each) => each.map),
        10,
      )
    }),
    { numRuns: 40 },
  )
})

test('copies of an item count as neighbours like any other', async () => {
  const embeddings = tensor([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
  const labels = Array.from({ length: 12 }, (_, i) => (i % 2 ? 'odd' : 'even'))
  const result = await evaluate({ embeddings, labels }, euclidean)
  expect(result.queries).toBe(12)
  // A collapsed embedding ranks by row: the nearest is row 0 for all but row 0 itself.
  expect(result.precisionAt1).toBeCloseTo(5 / 12, 10)
})

test('no usable query is an error that says what is missing', async () => {
  const alone = { embeddings: tensor([1, 2]), labels: ['a', null] }
  await expect(evaluate(alone, euclidean)).rejects.toThrow(
    /None of 2 items can be evaluated.*another member of its class\./,
  )
  await expect(evaluate(alone, euclidean, { gallery: { ...alone, labels: ['b', 'c'] } })).rejects.toThrow(
    /in the gallery/,
  )
})
