/** Losses made of losses, and what reduces them: against their definitions. */
import { describe, expect, test } from 'vitest'
import { UsageError } from '../errors.ts'
import { batchHard } from '../mining/index.ts'
import { random } from '../random.ts'
import {
  type GradedRows,
  type LabelledRows,
  type PairRows,
  type TupleRows,
  valueAndGradient,
} from '../training/value-and-gradient.ts'
import {
  angle,
  arcface,
  classWeighted,
  contrastive,
  coSENT,
  cosineMse,
  crossBatchMemory,
  type Loss,
  matryoshka,
  mean,
  meanNonZero,
  momentumEncoder,
  multipleNegatives,
  ntxent,
  perAnchor,
  type Reducer,
  regularFace,
  regularized,
  selfSupervised,
  softTriple,
  sparseCenters,
  sum,
  threshold,
  triplet,
  weightedSum,
} from './index.ts'

const { uniform } = random(9, 'embeddings')
const rows = (count: number, d = 4) =>
  Array.from({ length: count }, () => Array.from({ length: d }, () => uniform(-1, 1)))
const embeddings = rows(8)
const labels = [0, 1, 2, 0, 1, 2, 0, 1]
const batch = { embeddings, labels }
type AnyExamples = LabelledRows | TupleRows | PairRows | GradedRows
const value = async (loss: Loss, examples: AnyExamples = batch) =>
  (await valueAndGradient(loss, examples as LabelledRows)).value

const norm = (a: number[]) => Math.hypot(...a)
const cos = (a: number[], b: number[]) => a.reduce((s, x, i) => s + x * b[i]!, 0) / (norm(a) * norm(b))
const average = (x: readonly number[]) => x.reduce((s, each) => s + each, 0) / Math.max(1, x.length)

/** The hinges of all triplets with their anchors, by definition. */
function hinges(margin: number) {
  const found: { anchor: number; term: number }[] = []
  embeddings.forEach((a, i) => {
    embeddings.forEach((p, j) => {
      if (i === j || labels[i] !== labels[j]) return
      embeddings.forEach((n, k) => {
        if (labels[k] !== labels[i]) found.push({ anchor: i, term: Math.max(0, cos(a, n) - cos(a, p) + margin) })
      })
    })
  })
  return found
}

describe('reducers of triplets, by definition', () => {
  const margin = 0.3
  const all = hinges(margin)
  const terms = all.map(({ term }) => term)
  const anchors = [...new Set(all.map(({ anchor }) => anchor))]
  const byAnchor = (of: readonly { anchor: number; term: number }[]) =>
    anchors.map((anchor) => average(of.filter((each) => each.anchor === anchor).map(({ term }) => term)))
  const weights = [1, 0.5, 2]
  const cases: [Reducer, number][] = [
    [mean, average(terms)],
    [meanNonZero, average(terms.filter((x) => x > 0))],
    [sum, terms.reduce((a, b) => a + b, 0)],
    [threshold({ low: 0.1, high: 0.8 }), average(terms.filter((x) => x > 0.1 && x < 0.8))],
    [threshold({ low: 0.2 }), average(terms.filter((x) => x > 0.2))],
    [threshold({ high: 0.5 }), average(terms.filter((x) => x < 0.5))],
    [classWeighted(weights), average(all.map(({ anchor, term }) => term * weights[labels[anchor]!]!))],
    [perAnchor(), average(byAnchor(all))],
    [perAnchor(meanNonZero), average(byAnchor(all).filter((x) => x > 0))],
  ]
  test.each(cases)('$name', async (reduce, expected) => {
    expect(await value(triplet({ margin, reduce }))).toBeCloseTo(expected, 5)
    // As a formula of one's own, which is visited and not sorted.
    const own = triplet(({ ap, an }) => ap.sub(an).add(margin).relu(), { reduce })
    expect(await value(own)).toBeCloseTo(expected, 5)
  })

  test('and what makes no sense is refused', async () => {
    expect(() => threshold({})).toThrow(/low, high or both/)
    expect(() => threshold({ low: 1, high: 0 })).toThrow(/low below high/)
    expect(() => classWeighted([])).toThrow(UsageError)
    expect(() => classWeighted([-1])).toThrow(UsageError)
    const tuples = { anchor: rows(2), positive: rows(2), negative: rows(2) }
    await expect(valueAndGradient(triplet({ reduce: classWeighted([1]) }), tuples)).rejects.toThrow(/labelled/)
  })
})

test('the swap takes the nearer of both distances, and its gradient is the slope, whatever the reducer', async () => {
  for (const reduce of [mean, classWeighted([1, 3, 2]), perAnchor()]) {
    const loss = triplet({ margin: 0.3, swap: true, smooth: true, reduce })
    const { gradient } = await valueAndGradient(loss, batch)
    const at = (shift: number) =>
      value(loss, { labels, embeddings: embeddings.map((x, i) => (i === 2 ? x.with(1, x[1]! + shift) : x)) })
    expect(gradient[2]![1]).toBeCloseTo(((await at(2e-3)) - (await at(-2e-3))) / 4e-3, 2)
  }
})

test('graded pairs, by definition', async () => {
  const [a, b, score] = [rows(6), rows(6), [0.9, 0.1, 0.5, 0.5, 1, 0]]
  const near = a.map((x, i) => cos(x, b[i]!))
  const logarithm = (s: readonly number[]) => {
    let total = 1
    for (const [i, x] of score.entries()) {
      for (const [j, y] of score.entries()) if (x > y) total += Math.exp(20 * (s[j]! - s[i]!))
    }
    return Math.log(total)
  }
  expect(await value(coSENT(), { a, b, score })).toBeCloseTo(logarithm(near), 3)
  expect(await value(cosineMse(), { a, b, score })).toBeCloseTo(average(near.map((s, i) => (s - score[i]!) ** 2)), 5)
  const angles = a.map((x, i) => {
    const [re, im, c, d] = [x.slice(0, 2), x.slice(2), b[i]!.slice(0, 2), b[i]!.slice(2)]
    const parts = re.map((r, k) => r * c[k]! + im[k]! * d[k]! + im[k]! * c[k]! - r * d[k]!)
    return Math.abs(parts.reduce((s, each) => s + each, 0)) / (norm(x) * norm(b[i]!))
  })
  expect(await value(angle(), { a, b, score })).toBeCloseTo(logarithm(angles), 3)
  // Of a labelled batch, all pairs with 1 and 0 for a score.
  const pairs = embeddings.flatMap((x, i) => embeddings.flatMap((y, j) => (i === j ? [] : [{ x, y, i, j }])))
  const all = {
    a: pairs.map(({ x }) => x),
    b: pairs.map(({ y }) => y),
    score: pairs.map(({ i, j }) => Number(labels[i] === labels[j])),
  }
  for (const loss of [coSENT(), angle(), cosineMse()]) expect(await value(loss)).toBeCloseTo(await value(loss, all), 3)
  await expect(valueAndGradient(triplet(), all)).rejects.toThrow(/graded pairs/)
  await expect(valueAndGradient(angle(), { a: rows(2, 3), b: rows(2, 3), score: [0, 1] })).rejects.toThrow(
    /even length/,
  )
})

test('multiple negatives over pairs, one way and both, by definition', async () => {
  const [anchor, positive, negative] = [rows(5), rows(5), rows(5)]
  const entropy = (logits: number[], own: number) =>
    Math.log(logits.reduce((s, x) => s + Math.exp(x), 0)) - logits[own]!
  const forwards = anchor.map((a, i) =>
    entropy(
      positive.map((p) => 20 * cos(a, p)),
      i,
    ),
  )
  const backwards = positive.map((p, i) =>
    entropy(
      anchor.map((a) => 20 * cos(a, p)),
      i,
    ),
  )
  const withHard = anchor.map((a, i) =>
    entropy(
      [...positive, ...negative].map((p) => 20 * cos(a, p)),
      i,
    ),
  )
  expect(await value(multipleNegatives(), { anchor, positive })).toBeCloseTo(average(forwards), 4)
  const both = multipleNegatives({ symmetric: true })
  expect(await value(both, { anchor, positive })).toBeCloseTo((average(forwards) + average(backwards)) / 2, 4)
  expect(await value(multipleNegatives(), { anchor, positive, negative })).toBeCloseTo(average(withHard), 4)
  await expect(valueAndGradient(triplet(), { anchor, positive })).rejects.toThrow(/pairs without a negative/)
})

test('a weighted sum and a matryoshka are the sums of their parts', async () => {
  const parts = [{ loss: triplet({ margin: 0.3 }) }, { loss: contrastive(), weight: 0.5 }]
  const both = await value(weightedSum(parts))
  expect(both).toBeCloseTo((await value(parts[0]!.loss)) + 0.5 * (await value(parts[1]!.loss)), 5)
  const short = embeddings.map((x) => x.slice(0, 2))
  const nested = await value(matryoshka(ntxent(), { dimensions: [2, 4], weights: [3, 1] }))
  expect(nested).toBeCloseTo((await value(ntxent())) + 3 * (await value(ntxent(), { embeddings: short, labels })), 3)
  const ofClasses = matryoshka(arcface(), { dimensions: [2, 4] })
  const { variables } = await valueAndGradient(ofClasses, batch)
  expect(Object.values(variables).map(({ length }) => length)).toEqual([12, 6])
  expect(weightedSum(parts).withMining!(batchHard()).settings).toMatchObject({ '0 mining': 'batchHard' })
  expect(() => weightedSum([])).toThrow(UsageError)
  expect(() => weightedSum([{ loss: triplet() }, { loss: selfSupervised(ntxent()) }])).toThrow(/different views/)
  expect(() => matryoshka(ntxent(), { dimensions: [0] })).toThrow(UsageError)
  await expect(valueAndGradient(matryoshka(ntxent(), { dimensions: [9] }), batch)).rejects.toThrow(/no first 9/)
})

test('class weights are regularised where there are any', async () => {
  const plain = await value(arcface())
  expect(await value(regularized(arcface(), { classWeights: regularFace() }))).not.toBeCloseTo(plain, 3)
  const sparse = regularized(softTriple({ centersPerClass: 3 }), {
    classWeights: sparseCenters({ centersPerClass: 3 }),
    weight: 0,
  })
  expect(await value(sparse)).toBeCloseTo(await value(softTriple({ centersPerClass: 3 })), 6)
  expect(() => regularized(triplet(), { classWeights: regularFace() })).toThrow(/no class weights/)
})

test('two views of each example belong together, and labels do not count', async () => {
  const views = embeddings
  const loss = selfSupervised(ntxent({ temperature: 0.5 }))
  const expected = await value(ntxent({ temperature: 0.5 }), { embeddings: views, labels: [0, 1, 2, 3, 0, 1, 2, 3] })
  expect(await value(loss, { embeddings: views, labels: [0, 0, 0, 0, 0, 0, 0, 0] })).toBeCloseTo(expected, 5)
  const pairs = { anchor: views.slice(0, 4), positive: views.slice(4) }
  expect(await value(loss, pairs)).toBeCloseTo(expected, 5)
  await expect(valueAndGradient(loss, { embeddings: views.slice(1), labels: labels.slice(1) })).rejects.toThrow(/even/)
})

test('what does not go together is refused', async () => {
  expect(() => momentumEncoder(ntxent(), { momentum: 1 })).toThrow(/from 0 to less than 1/)
  expect(() => crossBatchMemory(ntxent(), { size: 0.5 })).toThrow(UsageError)
  await expect(valueAndGradient(crossBatchMemory(ntxent(), { size: 3 }), batch)).rejects.toThrow(/does not fit/)
  const tuples = { anchor: rows(2), positive: rows(2), negative: rows(2) }
  await expect(valueAndGradient(crossBatchMemory(triplet(), { size: 8 }), tuples)).rejects.toThrow(/labelled batches/)
})
