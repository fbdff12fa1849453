/** Losses that the reference does not have, regularisers and learned boundaries, against their definitions; tuples against rows. */
import { inverse, Matrix } from 'ml-matrix'
import { expect, test } from 'vitest'
import { checkLoss } from '../checking/index.ts'
import { cosine } from '../metrics/index.ts'
import { all } from '../mining/index.ts'
import { random } from '../random.ts'
import { valueAndGradient } from '../training/value-and-gradient.ts'
import { lossByName, lossesByName } from './by-name.ts'
import {
  centerInvariant,
  contrastive,
  fromRows,
  instance,
  lp,
  manifold,
  margin,
  mean,
  type Regularizer,
  regularFace,
  regularized,
  snrContrastive,
  sparseCenters,
  thresholdConsistentMargin,
  triplet,
  vicreg,
} from './index.ts'

const { uniform } = random(11, 'embeddings')
const rows = (count: number, d = 4) =>
  Array.from({ length: count }, () => Array.from({ length: d }, () => uniform(-1, 1)))
const embeddings = rows(8)
const labels = [0, 1, 2, 0, 1, 2, 0, 1]
const batch = { embeddings, labels }

const total = (x: readonly number[]) => x.reduce((sum, each) => sum + each, 0)
const average = (x: readonly number[]) => total(x) / Math.max(1, x.length)
const dot = (a: number[], b: number[]) => total(a.map((x, i) => x * b[i]!))
const norm = (a: number[]) => Math.hypot(...a)
const cos = (a: number[], b: number[]) => dot(a, b) / (norm(a) * norm(b))

const pairs = embeddings.flatMap((a, i) =>
  embeddings.flatMap((b, j) => (i === j ? [] : [{ same: labels[i] === labels[j], distance: 1 - cos(a, b) }])),
)

test('threshold-consistent margin', async () => {
  const [far, near] = [
    pairs.filter(({ same, distance }) => same && distance > 0.1).map(({ distance }) => distance - 0.1),
    pairs.filter(({ same, distance }) => !same && distance < 0.9).map(({ distance }) => 0.9 - distance),
  ]
  const { value } = await valueAndGradient(thresholdConsistentMargin({ negMargin: 0.9, posWeight: 2 }), batch)
  expect(value).toBeCloseTo(2 * average(far) + average(near), 4)
})

test('the signal-to-noise contrastive loss draws embeddings to zero mean', async () => {
  const [plain, drawn] = await Promise.all(
    [0, 0.3].map((regularWeight) => valueAndGradient(snrContrastive({ regularWeight }), batch)),
  )
  expect(drawn!.value - plain!.value).toBeCloseTo(0.3 * average(embeddings.map((row) => Math.abs(total(row)))), 4)
})

test('VICReg', async () => {
  const views = [embeddings.slice(0, 4), embeddings.slice(4)] as const
  const alike = average(views[0].flatMap((row, i) => row.map((x, j) => (x - views[1][i]![j]!) ** 2)))
  const parts = views.map((view) => {
    const means = [0, 1, 2, 3].map((j) => average(view.map((row) => row[j]!)))
    const covariance = (i: number, j: number) =>
      total(view.map((row) => (row[i]! - means[i]!) * (row[j]! - means[j]!))) / (view.length - 1)
    const flat = average([0, 1, 2, 3].map((j) => Math.max(0, 1 - Math.sqrt(covariance(j, j) + 1e-4))))
    const apart = total([0, 1, 2, 3].flatMap((i) => [0, 1, 2, 3].map((j) => (i === j ? 0 : covariance(i, j) ** 2))))
    return (25 * flat) / 2 + apart / 4
  })
  const { value } = await valueAndGradient(vicreg(), batch)
  expect(value).toBeCloseTo(25 * alike + total(parts), 3)
  await expect(valueAndGradient(vicreg(), { anchor: rows(2), positive: rows(2), negative: rows(2) })).rejects.toThrow(
    /two views/,
  )
})

test('instance', async () => {
  const weights = rows(3)
  const logits = embeddings.map((x) => weights.map((w) => 2 * dot(x, w)))
  const expected = average(logits.map((row, i) => Math.log(total(row.map(Math.exp))) - row[labels[i]!]!))
  const variables = { weights: variable(weights) }
  expect((await valueAndGradient(instance({ scale: 2 }), batch, { variables })).value).toBeCloseTo(expected, 4)
})

test('manifold, with the inverse itself', async () => {
  const proxies = rows(3)
  const nodes = [...embeddings, ...proxies]
  const similarity = nodes.map((a, i) => nodes.map((b, j) => (i === j ? 0 : Math.exp(2 * Math.max(0, cos(a, b))))))
  const degree = similarity.map((row) => 1 / Math.sqrt(total(row)))
  const normalized = new Matrix(similarity.map((row, i) => row.map((s, j) => degree[i]! * s * degree[j]!)))
  const walk = inverse(Matrix.eye(nodes.length).sub(normalized.mul(0.8)))
    .mul(0.2)
    .to2DArray()
  const cost = (near: number[][]) =>
    average(
      near.map((row, i) => {
        const violations = row.map((x, j) => (j === labels[i] ? -1 : x - row[labels[i]!]! + 5e-4)).filter((x) => x >= 0)
        return Math.log(1 + total(violations.map(Math.exp)))
      }),
    )
  const intrinsic = walk.slice(0, 8).map((row) => row.slice(8))
  const context = walk.slice(0, 8).map((row) => walk.slice(8).map((proxy) => cos(row, proxy)))
  const { value } = await valueAndGradient(manifold({ contextWeight: 0.5 }), batch, {
    variables: { weights: variable(proxies) },
  })
  expect(value).toBeCloseTo(cost(intrinsic) + 0.5 * cost(context), 4)
})

test.each<[Regularizer, (x: number[][]) => number]>([
  [lp(), (x) => average(x.map(norm))],
  [lp({ p: 1 }), (x) => average(x.map((row) => total(row.map(Math.abs))))],
  [
    centerInvariant(),
    (x) => {
      const squares = x.map((row) => norm(row) ** 2)
      return average(squares.map((each) => (each - average(squares)) ** 2)) / 4
    },
  ],
  [regularFace(), (x) => average(x.map((a, i) => Math.max(...x.flatMap((b, j) => (i === j ? [] : [cos(a, b)])))))],
  [
    sparseCenters({ centersPerClass: 4 }),
    (x) => {
      const classes = [x.slice(0, 4), x.slice(4)]
      const gaps = classes.flatMap((rows) =>
        rows.flatMap((a, i) => rows.slice(i + 1).map((b) => Math.sqrt(2 - 2 * cos(a, b)))),
      )
      return total(gaps) / (2 * gaps.length)
    },
  ],
])('the regulariser $name', async (regularizer, cost) => {
  const plain = (await valueAndGradient(contrastive(), batch)).value
  const { value } = await valueAndGradient(regularized(contrastive(), { embeddings: regularizer }), batch)
  expect(value - plain).toBeCloseTo(cost(embeddings), 4)
})

test.each(['one', 'perClass'] as const)('the margin loss learns its boundary: %s', async (learnBeta) => {
  const loss = margin({ learnBeta, nu: 0.1, reduce: mean })
  const data = Float32Array.from(learnBeta === 'one' ? [1.1] : [1.1, 1, 0.9])
  const at = async (shift: number) => {
    const moved = data.with(0, data[0]! + shift)
    const variables = { beta: { dtype: 'float32', shape: [data.length], data: moved, trained: true } as const }
    return valueAndGradient(loss, batch, { variables })
  }
  const slope = ((await at(1e-3)).value - (await at(-1e-3)).value) / 2e-3
  expect((await at(0)).variables.beta![0]).toBeCloseTo(slope, 2)
  expect(Math.abs(slope)).toBeGreaterThan(0.01)
  const tuples = { anchor: rows(2), positive: rows(2), negative: rows(2) }
  const ofTuples = valueAndGradient(loss, tuples)
  if (learnBeta === 'one') await ofTuples
  else await expect(ofTuples).rejects.toThrow(/Learn one for all/)
})

/** Their terms look at more of a batch, or of embeddings, than one anchor's own pairs. */
const otherwise = ['liftedStructure', 'snrContrastive', 'nPairs', 'multipleNegatives', 'quadruplet']

test.each(
  [...lossesByName.keys()].filter((name) => {
    const { over } = lossByName(name)
    return (over === 'anchors' || over === 'triplets' || name === 'dynamicSoftMargin') && !otherwise.includes(name)
  }),
)('%s of one tuple is that of one anchor with its two references', async (name) => {
  const loss = lossByName(name)
  const [anchor, positive, negative] = [rows(1), rows(1), rows(1)]
  const asTuple = await valueAndGradient(loss, { anchor, positive, negative })
  const asRow = await valueAndGradient(loss, {
    embeddings: anchor,
    labels: [0],
    references: { embeddings: [...positive, ...negative], labels: [0, 1] },
  })
  expect(asTuple.value).toBeCloseTo(asRow.value, 4)
  asRow.gradient[0]!.forEach((slope, i) => {
    expect(asTuple.gradient.anchor[0]![i]).toBeCloseTo(slope, 3)
  })
})

test('one’s own losses over pairs and rows are checked like ours; over class weights there is nothing to check', async () => {
  const pairsOfOne = contrastive({ positive: (d) => d.square(), negative: (d) => d.neg().add(0.8).relu().square() })
  expect((await checkLoss(pairsOfOne)).problems).toEqual([])
  const flipped = contrastive({ positive: (d) => d.neg().add(0.8).relu(), negative: (d) => d.relu() })
  expect((await checkLoss(flipped)).problems.map(({ name }) => name)).toEqual(['similarity-for-distance'])
  const ofRows = fromRows({
    name: 'ofRows',
    metric: cosine,
    mining: all(),
    reduce: mean,
    formula: ({ distances, positive, negative }) => {
      const of = (weight: typeof positive) =>
        distances
          .mul(weight)
          .sum([1])
          .div(weight.sum([1]).maximum(1))
      return [{ terms: of(positive).sub(of(negative)).softplus(), weight: positive.max([1]) }]
    },
  })
  expect((await checkLoss(ofRows)).problems).toEqual([])
  await expect(checkLoss(lossByName('arcface'))).rejects.toThrow(/no triplets to check/)
  for (const name of ['ntxent', 'multiSimilarity', 'liftedStructure', 'margin', 'multipleNegatives', 'histogram']) {
    expect((await checkLoss(lossByName(name))).problems, name).toEqual([])
  }
  expect((await checkLoss(triplet({ swap: true }))).problems).toEqual([])
})

function variable(values: number[][]) {
  const shape = [values.length, values[0]!.length]
  return { dtype: 'float32', shape, data: Float32Array.from(values.flat()), trained: true } as const
}
