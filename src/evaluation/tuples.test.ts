import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cosine, euclidean } from '../metrics/index.ts'
import type { Tensor } from '../tensor.ts'
import { evaluateTuples } from './index.ts'

/** Points on a line. */
const line = (...values: number[]): Tensor => ({
  dtype: 'float32',
  shape: [values.length, 1],
  data: Float32Array.from(values),
})
const zeros = (n: number) => line(...new Array<number>(n).fill(0))

test('triplets are in order where the positive is closer, and not where both are as far', async () => {
  const tuples = { kind: 'tuples', anchor: zeros(4), positive: line(1, 2, 3, -1), negative: line(2, -3, 1, 1) } as const
  expect(await evaluateTuples(tuples, euclidean)).toEqual({
    metric: 'euclidean',
    tuples: 4,
    kind: 'tuples',
    inOrder: 0.5,
  })
})

test('the shares are those of all, in blocks too', async () => {
  const n = 5000
  const far = line(...Array.from({ length: n }, (_, i) => (i < 4500 ? 2 : 0.5)))
  const found = await evaluateTuples(
    { kind: 'tuples', anchor: zeros(n), positive: line(...new Array<number>(n).fill(1)), negative: far },
    euclidean,
  )
  expect(found).toMatchObject({ tuples: n, inOrder: 0.9 })
})

test('pairs: whether the own positive is the nearest of all', async () => {
  const found = await evaluateTuples({ kind: 'pairs', anchor: line(0, 10, 20), positive: line(1, 19, 20.5) }, euclidean)
  expect(found).toEqual({ metric: 'euclidean', tuples: 3, kind: 'pairs', precisionAt1: 2 / 3 })
  const collapsed = await evaluateTuples({ kind: 'pairs', anchor: zeros(4), positive: zeros(4) }, euclidean)
  expect(collapsed).toMatchObject({ precisionAt1: 1 / 4 })
})

test('graded pairs: the correlation of ranks, where equal ones share the mean of theirs', async () => {
  // Around their mean, the ranks are (2, 0.5, 0.5, −2, −1) and (2, 0, 1, −1.5, −1.5).
  const graded = { kind: 'graded', a: zeros(5), b: line(1, 2, 2, 5, 3), score: [5, 3, 4, 1, 1] } as const
  const found = await evaluateTuples(graded, euclidean)
  expect(found).toMatchObject({ kind: 'graded', tuples: 5 })
  expect(found.kind === 'graded' && found.spearman).toBeCloseTo(9 / 9.5, 9)
  expect(found).not.toHaveProperty('areaUnderRoc')
})

test('of two scores, the area under ROC is the share of pairs in order, ties half', async () => {
  const pair = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 1 }))
  await fc.assert(
    fc.asyncProperty(fc.array(pair, { minLength: 2, maxLength: 20 }), async (pairs) => {
      fc.pre(new Set(pairs.map(([, score]) => score)).size === 2)
      const [far, score] = [pairs.map(([distance]) => distance), pairs.map(([, each]) => each)]
      const found = await evaluateTuples({ kind: 'graded', a: zeros(far.length), b: line(...far), score }, euclidean)
      let [sum, count] = [0, 0]
      for (const [high, ofHigh] of pairs) {
        for (const [low, ofLow] of pairs) {
          if (ofHigh <= ofLow) continue
          sum += high < low ? 1 : high === low ? 0.5 : 0
          count++
        }
      }
      expect(found.kind === 'graded' && found.areaUnderRoc).toBeCloseTo(sum / count, 9)
    }),
    { numRuns: 20 },
  )
})

test('a collapsed embedding has no rank correlation', async () => {
  const rows = { dtype: 'float32', shape: [3, 2], data: Float32Array.of(1, 0, 1, 0, 1, 0) } as const
  const found = await evaluateTuples({ kind: 'graded', a: rows, b: rows, score: [1, 2, 3] }, cosine)
  expect(found).toMatchObject({ spearman: 0 })
})
