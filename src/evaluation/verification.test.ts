import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DataError, UsageError } from '../errors.ts'
import { cosine, euclidean, manhattan } from '../metrics/index.ts'
import { random } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { calibrate, verify } from './index.ts'

const line = (values: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape: [values.length, 1],
  data: Float32Array.from(values),
})

/** Places of which many pairs are equally far apart, so that ties are counted too. */
const items = fc.array(fc.record({ at: fc.integer({ min: 0, max: 9 }), label: fc.constantFrom('a', 'b', 'c', null) }), {
  minLength: 4,
  maxLength: 16,
})

interface Pair {
  distance: number
  same: boolean
}

function allPairs(all: readonly { at: number; label: string | null; group?: number }[]): Pair[] {
  return all.flatMap((a, i) =>
    all.slice(i + 1).flatMap((b) => {
      if (a.label === null || b.label === null || (a.group !== undefined && a.group === b.group)) return []
      return [{ distance: Math.abs(a.at - b.at), same: a.label === b.label }]
    }),
  )
}

const areBoth = (pairs: readonly Pair[]) => new Set(pairs.map(({ same }) => same)).size === 2

test('area, accuracy and rates are those of their definitions, ties included', async () => {
  await fc.assert(
    fc.asyncProperty(items, async (all) => {
      const pairs = allPairs(all)
      fc.pre(areBoth(pairs))
      const found = await verify(
        { embeddings: line(all.map(({ at }) => at)), labels: all.map(({ label }) => label) },
        manhattan,
        {
          resamples: 0,
        },
      )
      const [same, different] = [pairs.filter((each) => each.same), pairs.filter((each) => !each.same)]
      expect(found.pairs).toEqual({ same: same.length, different: different.length })
      let wins = 0
      for (const near of same) {
        for (const far of different) wins += near.distance < far.distance ? 1 : near.distance === far.distance ? 0.5 : 0
      }
      expect(found.rocAuc).toBeCloseTo(wins / (same.length * different.length), 10)
      const accepted = (of: readonly Pair[], threshold: number) =>
        of.filter((each) => each.distance <= threshold).length
      const thresholds = [-1, ...pairs.map(({ distance }) => distance)]
      const accuracies = thresholds.map(
        (t) => (accepted(same, t) + different.length - accepted(different, t)) / pairs.length,
      )
      expect(found.bestAccuracy).toBeCloseTo(Math.max(...accuracies), 10)
      for (const rate of ['0.1', '0.01', '0.001'] as const) {
        const within = thresholds.filter((t) => accepted(different, t) <= Number(rate) * different.length)
        const reached = Math.max(...within.map((t) => accepted(same, t) / same.length))
        expect(found.truePositiveRateAtFalsePositiveRate[rate]).toBeCloseTo(reached, 10)
      }
    }),
    { numRuns: 50 },
  )
})

/** Vectors of many classes, noisy enough to be mistaken. */
function noisy(rows: number, perClass: number, seed = 0) {
  const { uniform } = random(seed, 'noisy')
  const dimension = 4
  const centres = Array.from({ length: Math.ceil(rows / perClass) * dimension }, () => uniform(-1, 1))
  const data = Float32Array.from({ length: rows * dimension }, (_, i) => {
    const row = Math.floor(i / dimension)
    return centres[Math.floor(row / perClass) * dimension + (i % dimension)]! + uniform(-0.5, 0.5)
  })
  const embeddings: Tensor = { dtype: 'float32', shape: [rows, dimension], data }
  return { embeddings, labels: Array.from({ length: rows }, (_, row) => Math.floor(row / perClass)) }
}

test('more pairs than are kept are counted in ranges, and the area is within what it says', async () => {
  const many = noisy(2100, 20)
  const found = await verify(many, cosine, { resamples: 5 })
  expect(found.pairs.same + found.pairs.different).toBe((2100 * 2099) / 2)
  expect(found.rocAucWithin).toBeGreaterThan(0)
  expect(found.rocAucWithin).toBeLessThan(1e-3)
  // The same pairs as queries and galleries that are few enough to be exact.
  const first = { embeddings: many.embeddings, labels: many.labels.map((label, row) => (row < 900 ? label : null)) }
  const exact = await verify(first, cosine, { resamples: 0 })
  expect(exact.rocAucWithin).toBe(0)
  expect(Math.abs(found.rocAuc - exact.rocAuc)).toBeLessThan(0.05)
})

test('the curve rises from 0 to 1, and the histogram holds every pair', async () => {
  const { roc, histogram, pairs } = await verify(noisy(80, 8), cosine, { resamples: 0 })
  for (const rates of [roc.falsePositiveRate, roc.truePositiveRate]) {
    expect([rates[0], rates.at(-1)]).toEqual([0, 1])
    expect(rates).toEqual([...rates].sort((a, b) => a - b))
    expect(rates).toHaveLength(roc.threshold.length)
  }
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
  expect(histogram.edges).toHaveLength(histogram.same.length + 1)
  expect([sum(histogram.same), sum(histogram.different)]).toEqual([pairs.same, pairs.different])
})

test('pairs of one group are left out', async () => {
  const all = [
    { at: 0, label: 'a', group: 0 },
    { at: 1, label: 'a', group: 0 },
    { at: 2, label: 'a', group: 1 },
    { at: 9, label: 'b', group: 1 },
  ]
  const embedded = { embeddings: line(all.map(({ at }) => at)), labels: all.map(({ label }) => label) }
  expect((await verify(embedded, euclidean)).pairs).toEqual({ same: 3, different: 3 })
  const groups = all.map(({ group }) => group)
  expect((await verify({ ...embedded, groups }, euclidean)).pairs).toEqual({ same: 2, different: 2 })
})

test('intervals hold their figures, repeat with their seed, and narrow with more items', async () => {
  const [few, many] = [await verify(noisy(40, 4), cosine), await verify(noisy(400, 4), cosine)]
  for (const { confidence, rocAuc } of [few, many]) {
    expect(confidence!.rocAuc[0]).toBeLessThanOrEqual(rocAuc)
    expect(confidence!.rocAuc[1]).toBeGreaterThanOrEqual(rocAuc)
  }
  const width = ([low, high]: readonly [number, number]) => high - low
  expect(width(many.confidence!.rocAuc)).toBeLessThan(width(few.confidence!.rocAuc))
  expect(await verify(noisy(40, 4), cosine)).toEqual(few)
  expect((await verify(noisy(40, 4), cosine, { seed: 1 })).confidence).not.toEqual(few.confidence)
})

test('without pairs of both kinds there is nothing to tell apart', async () => {
  const one = { embeddings: line([1, 2]), labels: ['a', 'a'] }
  await expect(verify(one, euclidean)).rejects.toThrow(/1 pairs of one class and 0 of different ones/)
  await expect(verify({ ...one, labels: ['a', 'b'] }, euclidean)).rejects.toThrow(DataError)
  await expect(verify({ embeddings: line([1, Number.NaN]), labels: ['a', 'b'] }, euclidean)).rejects.toThrow(
    /holds NaN/,
  )
})

test('a calibrated threshold keeps to its rate, and no greater one does', async () => {
  for (const rate of [0.2, 0.01]) {
    const embedded = noisy(60, 5)
    const { threshold, truePositiveRate, confidence, pairs } = await calibrate(embedded, cosine, {
      falsePositiveRate: rate,
    })
    const { roc } = await verify(embedded, cosine, { resamples: 0 })
    expect(pairs.different).toBe((60 * 55) / 2)
    expect(confidence[0]).toBeLessThanOrEqual(confidence[1])
    const within = roc.threshold.filter((_, i) => roc.falsePositiveRate[i]! <= rate)
    expect(threshold).toBeGreaterThanOrEqual(Math.max(...within.slice(1)))
    const beyond = roc.threshold.filter((_, i) => roc.falsePositiveRate[i]! > rate)
    expect(threshold).toBeLessThan(Math.min(...beyond))
    expect(truePositiveRate).toBeGreaterThan(0)
  }
})

test('calibration says what it lacks', async () => {
  const embedded = noisy(20, 4)
  await expect(calibrate(embedded, cosine, { falsePositiveRate: 0.001 })).rejects.toThrow(
    /160 pairs of different classes; a false positive rate of 0.001 needs at least 1000/,
  )
  await expect(calibrate(embedded, cosine, { falsePositiveRate: 1 })).rejects.toThrow(UsageError)
  const collapsed = { embeddings: line([1, 1, 1, 1]), labels: ['a', 'a', 'b', 'b'] }
  await expect(calibrate(collapsed, euclidean, { falsePositiveRate: 0.5 })).rejects.toThrow(/Has the encoder collapsed/)
})
