/** The two ways of computing the hinge over all triplets, and the definition itself, agree on batches of any classes. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectClose } from '../../test/tolerance.ts'
import { compile } from '../compile.ts'
import { UsageError } from '../errors.ts'
import { differentiate } from '../graph/differentiate.ts'
import { input } from '../graph/value.ts'
import { cosine, euclidean } from '../metrics/index.ts'
import { all, batchHard, semiHard } from '../mining/index.ts'
import { random } from '../random.ts'
import { valueAndGradient } from '../training/value-and-gradient.ts'
import { batchOf } from './batch.ts'
import { cosineMarginTriplet, type Loss, mean, quadruplet, triplet } from './index.ts'
import { overTriplets } from './over-triplets.ts'
import { sortedHinge } from './sorted-hinge.ts'

const MARGIN = 0.3

const batches = fc.integer({ min: 2, max: 14 }).chain((n) =>
  fc.record({
    embeddings: fc.array(
      fc.array(
        fc.integer({ min: -50, max: 50 }).map((x) => x / 10),
        { minLength: 3, maxLength: 3 },
      ),
      {
        minLength: n,
        maxLength: n,
      },
    ),
    labels: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: n, maxLength: n }),
  }),
)

const norm = (a: number[]) => Math.sqrt(a.reduce((sum, x) => sum + x * x, 0))
const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
const cosineDistance = (a: number[], b: number[]) => {
  const lengths = norm(a) * norm(b)
  return 1 - (lengths > 0 ? dot(a, b) / lengths : 0)
}

/** The terms of all triplets, straight from the definition. */
function termsOf(embeddings: number[][], labels: number[], term: (ap: number, an: number) => number): number[] {
  const terms: number[] = []
  for (const [a, x] of embeddings.entries()) {
    for (const [p, y] of embeddings.entries()) {
      for (const [n, z] of embeddings.entries()) {
        if (p === a || labels[p] !== labels[a] || labels[n] === labels[a]) continue
        terms.push(term(cosineDistance(x, y), cosineDistance(x, z)))
      }
    }
  }
  return terms
}

const average = (terms: number[]) => terms.reduce((sum, x) => sum + x, 0) / Math.max(1, terms.length)

test('hinge and eq. 9 equal their definition on classes of any sizes, one-member classes too', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async ({ embeddings, labels }) => {
      const hinge = await valueAndGradient(triplet({ margin: MARGIN, reduce: mean }), { embeddings, labels })
      expect(hinge.value).toBeCloseTo(
        average(termsOf(embeddings, labels, (ap, an) => Math.max(ap - an + MARGIN, 0))),
        4,
      )
      const smooth = await valueAndGradient(cosineMarginTriplet({ margin: MARGIN, scale: 4 }), { embeddings, labels })
      const softplus = (x: number) => Math.log1p(Math.exp(x))
      expect(smooth.value).toBeCloseTo(
        average(termsOf(embeddings, labels, (ap, an) => softplus(4 * (ap - an + MARGIN)))),
        4,
      )
      expect(hinge.gradient.flat().every(Number.isFinite)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('semi-hard triplets are those in order by less than the margin', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async ({ embeddings, labels }) => {
      const found = await valueAndGradient(triplet({ margin: MARGIN, mining: semiHard({ margin: MARGIN }) }), {
        embeddings,
        labels,
      })
      const kept: number[] = []
      let onTheLine = false
      termsOf(embeddings, labels, (ap, an) => {
        onTheLine ||= Math.abs(an - ap) < 1e-5 || Math.abs(an - ap - MARGIN) < 1e-5
        if (ap < an && an <= ap + MARGIN) kept.push(ap - an + MARGIN)
        return 0
      })
      fc.pre(!onTheLine)
      expect(found.value).toBeCloseTo(average(kept), 4)
    }),
    { numRuns: 60 },
  )
})

test('a formula of one’s own is mined, blocked and reduced as the hinge is', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async ({ embeddings, labels }) => {
      for (const mining of [all(), batchHard()]) {
        const own = triplet(({ ap, an }) => ap.sub(an).add(MARGIN).relu(), { mining })
        const [one, other] = [own, triplet({ margin: MARGIN, mining })].map((loss) =>
          valueAndGradient(loss, { embeddings, labels }),
        )
        expect((await one!).value).toBeCloseTo((await other!).value, 5)
        expectClose((await one!).gradient.flat(), (await other!).gradient.flat(), mining.name)
      }
    }),
    { numRuns: 20 },
  )
})

test('a formula takes d(p, n), and must give each triplet a term', async () => {
  const tuples = { anchor: [[1, 0]], positive: [[0, 1]], negative: [[-1, 0]] }
  const swapped = triplet(({ ap, an, pn }) => ap.sub(an.minimum(pn)).add(MARGIN).relu())
  expect((await valueAndGradient(swapped, tuples)).value).toBeCloseTo(MARGIN)
  const labelled = { embeddings: [[1], [2], [3]], labels: [0, 0, 1] }
  expect((await valueAndGradient(swapped, labelled)).value).toBeCloseTo(MARGIN)
  const reduced = triplet(({ ap, an }) => ap.mean().sub(an.mean()).add(MARGIN).relu())
  await expect(valueAndGradient(reduced, labelled)).rejects.toThrow(/expected one term for each triplet/)
  await expect(valueAndGradient(reduced, tuples)).rejects.toThrow(UsageError)
})

test('sorting and visiting give the same terms for every anchor', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async ({ embeddings, labels }) => {
      const n = labels.length
      const x = input('x', 'float32', [n, 3])
      const batch = batchOf({ kind: 'labelled', embeddings: x, labels: input('labels', 'int32', [n]) }, cosine)
      const sorted = sortedHinge(batch, MARGIN)
      const visited = overTriplets(({ ap, an }) => ap.add(MARGIN).sub(an).relu(), batch, { kind: 'all' })
      const program = await compile({
        sortedSum: sorted.sum,
        sortedCount: sorted.count,
        visitedSum: visited.sum,
        visitedCount: visited.count,
      })
      const results = await program.run({
        x: { dtype: 'float32', shape: [n, 3], data: Float32Array.from(embeddings.flat()) },
        labels: { dtype: 'int32', shape: [n], data: Int32Array.from(labels) },
      })
      await program.release()
      for (let i = 0; i < n; i++) {
        expect(results.sortedSum!.data[i]).toBeCloseTo(results.visitedSum!.data[i] as number, 4)
        expect(results.sortedCount!.data[i]).toBe(results.visitedCount!.data[i])
      }
    }),
    { numRuns: 40 },
  )
})

test('many blocks give the same terms and the same gradient as sorting', async () => {
  const n = 1100
  const { uniform } = random(0, 'embeddings')
  const x = input('x', 'float32', [n, 3])
  const labels = input('labels', 'int32', [n])
  const batch = batchOf({ kind: 'labelled', embeddings: x, labels, largestClass: 41 }, cosine)
  const sorted = sortedHinge(batch, MARGIN)
  const visited = overTriplets(({ ap, an }) => ap.add(MARGIN).sub(an).relu(), batch, { kind: 'all' })
  const program = await compile({
    sorted: sorted.sum,
    visited: visited.sum,
    sortedActive: sorted.active,
    visitedActive: visited.active,
    sortedGradient: differentiate(sorted.sum.sum(), [x])[0]!,
    visitedGradient: differentiate(visited.sum.sum(), [x])[0]!,
  })
  const results = await program.run({
    x: { dtype: 'float32', shape: [n, 3], data: Float32Array.from({ length: 3 * n }, () => uniform(-1, 1)) },
    labels: { dtype: 'int32', shape: [n], data: Int32Array.from({ length: n }, (_, i) => Math.max(0, i - 40)) },
  })
  await program.release()
  const expectSame = (a: string, b: string, relative: number) =>
    expectClose(results[a]!.data as Float32Array, results[b]!.data as Float32Array, a, relative, relative)
  expectSame('sorted', 'visited', 1e-3)
  expectSame('sortedActive', 'visitedActive', 1e-3)
  expectSame('sortedGradient', 'visitedGradient', 1e-2)
})

test('gradients are those of finite differences', async () => {
  const embeddings = [
    [1, 0.2, -0.3],
    [0.8, -0.5, 0.1],
    [-0.4, 0.9, 0.6],
    [0.3, 0.7, -0.8],
    [-0.9, -0.2, 0.4],
  ]
  const labels = ['a', 'a', 'b', 'b', 'a']
  const candidates: Loss[] = [
    triplet({ margin: 0.5 }),
    triplet({ margin: 1, metric: euclidean, mining: batchHard() }),
    triplet({ smooth: true }),
    cosineMarginTriplet(),
    cosineMarginTriplet({ mining: batchHard(), scale: 64 }),
  ]
  for (const loss of candidates) {
    const { gradient } = await valueAndGradient(loss, { embeddings, labels })
    const step = 1e-3
    for (const [row, column] of [
      [0, 0],
      [2, 1],
      [4, 2],
    ] as const) {
      const at = async (shift: number) => {
        const moved = embeddings.map((x) => [...x])
        moved[row]![column]! += shift
        return (await valueAndGradient(loss, { embeddings: moved, labels })).value
      }
      const slope = ((await at(step)) - (await at(-step))) / (2 * step)
      const found = gradient[row]![column]!
      expect(Math.abs(found - slope), `${loss.name} ${JSON.stringify(loss.settings)}`).toBeLessThan(
        2e-3 + 0.01 * Math.abs(slope),
      )
    }
  }
})

test('a batch without triplets has loss 0 and no gradient', async () => {
  for (const loss of [triplet(), triplet({ mining: batchHard() }), cosineMarginTriplet()]) {
    for (const labels of [
      [0, 0, 0],
      [0, 1, 2],
    ]) {
      const { value, gradient } = await valueAndGradient(loss, { embeddings: [[1], [2], [-3]], labels })
      expect(value).toBe(0)
      expect(gradient.flat().every((x) => x === 0)).toBe(true)
    }
  }
})

test('values and gradients are finite for coincident, opposite and zero embeddings, and s = 64 does not overflow', async () => {
  const embeddings = [
    [0, 0],
    [0, 0],
    [1, 0],
    [1, 0],
    [-1, 0],
    [-1, 0],
    [1e-20, 0],
  ]
  const labels = [0, 1, 0, 1, 0, 1, 0]
  for (const loss of [
    triplet(),
    triplet({ metric: euclidean }),
    triplet({ mining: batchHard(), metric: euclidean }),
    cosineMarginTriplet({ scale: 64, margin: 0.35 }),
  ]) {
    const { value, gradient } = await valueAndGradient(loss, { embeddings, labels })
    expect(Number.isFinite(value)).toBe(true)
    expect(gradient.flat().every(Number.isFinite)).toBe(true)
  }
})

test('tuples are checked, and a loss says what examples it needs', async () => {
  const [anchor, positive, negative] = [[[1, 0]], [[1, 1]], [[0, 1]]]
  await expect(valueAndGradient(quadruplet(), { anchor, positive, negative })).rejects.toThrow(/needs tuples of anchor/)
  await expect(valueAndGradient(quadruplet(), { embeddings: anchor, labels: [0] })).rejects.toThrow(UsageError)
  const uneven = { anchor, positive, negative: [[0], [1]] }
  await expect(valueAndGradient(triplet(), uneven)).rejects.toThrow('The parts of the tuples are 1 × 2 and 2 × 1')
  const { value, gradient } = await valueAndGradient(triplet({ margin: 1 }), { anchor, positive, negative })
  expect(value).toBeCloseTo(1 - Math.SQRT1_2, 5)
  expect(Object.keys(gradient)).toEqual(['anchor', 'positive', 'negative'])
})

test('settings that make no sense are refused with what to do', () => {
  expect(() => triplet({ margin: 3 })).toThrow(UsageError)
  expect(() => triplet({ margin: 3 })).toThrow(/margin 3 can never be reached.*between 0 and 2.*below 2/)
  expect(() => triplet({ margin: 3, metric: euclidean })).not.toThrow()
  expect(() => triplet({ margin: -1 })).toThrow(/at least 0/)
  expect(() => triplet({ margin: Number.NaN })).toThrow(UsageError)
  expect(() => cosineMarginTriplet({ metric: euclidean })).toThrow(/defined for the metric cosine, found euclidean/)
  expect(() => cosineMarginTriplet({ scale: 0 })).toThrow(/above 0/)
  expect(() => cosineMarginTriplet({ margin: 2.5 })).toThrow(UsageError)
})
