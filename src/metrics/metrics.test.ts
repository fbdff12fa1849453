import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { UsageError } from '../errors.ts'
import { differentiate } from '../graph/differentiate.ts'
import { input } from '../graph/value.ts'
import { metricsByName } from './by-name.ts'
import { angular, chord, convertMargin, cosine, euclidean, type Metric, negativeCosine, squaredChord } from './index.ts'

const metrics = [...metricsByName.values()]

/** Distances of each row of `rows` to each and to its follower, and the gradients of their sums. */
async function evaluate(metric: Metric, rows: number[][]) {
  const [n, d] = [rows.length, rows[0]!.length]
  const [a, b] = [input('a', 'float32', [n, d]), input('b', 'float32', [n, d])]
  const [matrix, pairwise] = [metric.matrix(a, b), metric.pairwise(a, b)]
  const [matrixByA, matrixByB] = differentiate(matrix.sum(), [a, b])
  const [pairwiseByA, pairwiseByB] = differentiate(pairwise.sum(), [a, b])
  const program = await compile({
    matrix,
    pairwise,
    matrixByA: matrixByA!,
    matrixByB: matrixByB!,
    pairwiseByA: pairwiseByA!,
    pairwiseByB: pairwiseByB!,
  })
  const tensor = (values: number[][]) =>
    ({ dtype: 'float32', shape: [n, d], data: Float32Array.from(values.flat()) }) as const
  const results = await program.run({ a: tensor(rows), b: tensor([...rows.slice(1), rows[0]!]) })
  await program.release()
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...(data as Float32Array)]]))
}

describe.each(metrics)('$name', (metric) => {
  test('is finite, with its gradients, for coincident, opposite, zero, tiny and large vectors', async () => {
    const special = [
      [0, 0],
      [0, 0],
      [3, 4],
      [3, 4],
      [-3, -4],
      [-0.6, -0.8],
      [1e-15, 0],
      [0, 1e15],
      [1e-30, 1e-30],
    ]
    const results = await evaluate(metric, special)
    for (const [name, values] of Object.entries(results)) {
      expect(values.every(Number.isFinite), `${name}: ${values}`).toBe(true)
    }
  })

  test('matrix and pairwise agree, and stay in the range', async () => {
    const component = fc.integer({ min: -20, max: 20 }).map((x) => x / 4)
    const row = fc.array(component, { minLength: 10, maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 2, maxLength: 6 }), async (rows) => {
        const { matrix, pairwise } = await evaluate(metric, rows)
        const scale = 1 + Math.max(...pairwise!.map(Math.abs))
        for (const [i, value] of pairwise!.entries()) {
          expect(Math.abs(matrix![i * (rows.length + 1)]! - value) / scale).toBeLessThan(5e-3)
          expect(value).toBeGreaterThanOrEqual(metric.range[0] - 1e-5)
          expect(value).toBeLessThanOrEqual(metric.range[1] + 1e-5)
        }
      }),
      { numRuns: 15 },
    )
  })

  test('is said to look at directions only exactly if it does', async () => {
    const rows = [
      [1, 2, -1],
      [0.5, -1, 2],
      [-1, 1, 1],
    ]
    const scaled = rows.map((row, i) => row.map((x) => x * (i + 2)))
    const [once, twice] = [await evaluate(metric, rows), await evaluate(metric, scaled)]
    const same = once.pairwise!.every((value, i) => Math.abs(value - twice.pairwise![i]!) < 1e-4)
    expect(same).toBe(metric.directional)
  })
})

test('a zero vector has cosine 0 with everything', async () => {
  const rows = [
    [0, 0],
    [1, 2],
  ]
  const right = { cosine: 1, negativeCosine: 0, chord: Math.SQRT2, squaredChord: 2, angular: 0.5 }
  for (const [name, expected] of Object.entries(right)) {
    const { pairwise, matrix } = await evaluate(metricsByName.get(name)!, rows)
    expect(pairwise![0]).toBeCloseTo(expected, 5)
    expect(matrix![0]).toBeCloseTo(expected, 5)
  }
})

describe('convertMargin', () => {
  test('a cosine margin of 0.2 is 36.9° at 0 and 11.5° at a right angle', () => {
    const degrees = (at: number) => 180 * convertMargin(0.2, { from: cosine, to: angular, at })
    expect(degrees(0)).toBeCloseTo(36.87, 2)
    expect(degrees(1)).toBeCloseTo(11.54, 2)
  })

  test('goes there and back', () => {
    const sphere = [cosine, negativeCosine, squaredChord, chord, angular]
    fc.assert(
      fc.property(
        fc.constantFrom(...sphere),
        fc.constantFrom(...sphere),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.double({ min: 0.05, max: 0.45, noNaN: true }),
        (from, to, start, share) => {
          const width = from.range[1] - from.range[0]
          const at = from.range[0] + start * width
          const margin = share * width
          const carried = convertMargin(margin, { from, to, at })
          // Where `at` lies in the other unit: as far from its own origin as a margin of that size reaches.
          const origin = from.range[0]
          const place = to.range[0] + convertMargin(at - origin, { from, to, at: origin })
          expect(convertMargin(carried, { from: to, to: from, at: place })).toBeCloseTo(margin, 6)
        },
      ),
    )
  })

  test('between cosine, negativeCosine and squaredChord the place makes no difference', () => {
    for (const at of [0, 0.3, 1]) {
      expect(convertMargin(0.2, { from: cosine, to: negativeCosine, at })).toBeCloseTo(0.2, 12)
      expect(convertMargin(0.2, { from: cosine, to: squaredChord, at })).toBeCloseTo(0.4, 12)
      expect(convertMargin(1.5, { from: negativeCosine, to: squaredChord, at })).toBeCloseTo(3, 12)
    }
  })

  test('beyond the range, and off the sphere, it throws', () => {
    expect(() => convertMargin(0.2, { from: cosine, to: chord, at: 1.9 })).toThrow(UsageError)
    expect(() => convertMargin(0.2, { from: cosine, to: chord, at: 1.9 })).toThrow(/from 1.9 to 2.1.*between 0 and 2/)
    expect(() => convertMargin(2.5, { from: cosine, to: negativeCosine })).toThrow(UsageError)
    expect(() => convertMargin(-0.1, { from: chord, to: cosine })).toThrow(UsageError)
    expect(() => convertMargin(0.1, { from: cosine, to: euclidean })).toThrow(/metrics of the sphere, found euclidean/)
  })
})
