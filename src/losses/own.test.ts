/** A metric, a loss and a miner of one's own get all that ours get: mining, reducers, blocks, references, tuples, check. */
import { expect, test } from 'vitest'
import { checkLoss } from '../checking/index.ts'
import { cosine, type Metric } from '../metrics/index.ts'
import { all, batchHard, hdc, type Miner, multiSimilarity, semiHard } from '../mining/index.ts'
import { random } from '../random.ts'
import { type LabelledRows, type TupleRows, valueAndGradient } from '../training/value-and-gradient.ts'
import {
  classWeighted,
  contrastive,
  crossBatchMemory,
  type Loss,
  mean,
  meanNonZero,
  perAnchor,
  type Reducer,
  sum,
  triplet,
} from './index.ts'

/** Half the cosine distance: whatever is done in it comes to half of what it comes to in ours. */
const half: Metric = {
  name: 'half',
  range: [0, 1],
  directional: true,
  triangle: false,
  pairwise: (a, b) => cosine.pairwise(a, b).div(2),
  matrix: (a, b) => cosine.matrix(a, b).div(2),
}

/** Ours, and the same as somebody would write them in a metric of half the size. */
const miners: [Miner, Miner][] = [
  [all(), all()],
  [
    batchHard(),
    {
      name: 'farthest and nearest',
      select({ distances, same, other }) {
        const [positive, negative] = [same.where(distances, -9).argMax(1), other.where(distances, 9).argMin(1)]
        const both = [same, other].map((each) => each.cast('float32').max([1], true))
        return { kind: 'triplets', positive, negative, weight: both[0]!.mul(both[1]!) }
      },
    },
  ],
  [
    semiHard({ margin: 0.4 }),
    {
      name: 'in order',
      select: () => ({ kind: 'where', keep: ({ ap, an }) => an.greater(ap).and(an.sub(ap).lessEqual(0.2)) }),
    },
  ],
  [multiSimilarity({ epsilon: 0.1 }), multiSimilarity({ epsilon: 0.05 })],
  [hdc(), hdc()],
]
const reducers: Reducer[] = [mean, meanNonZero, sum, classWeighted([1, 3, 2]), perAnchor()]

/** Ours, and a formula of one's own that is half of it. */
const losses: [(mining: Miner, reduce: Reducer) => Loss, (mining: Miner, reduce: Reducer) => Loss][] = [
  [
    (mining, reduce) => triplet({ margin: 0.3, mining, reduce }),
    (mining, reduce) => triplet(({ ap, an }) => ap.sub(an).add(0.15).relu(), { metric: half, mining, reduce }),
  ],
  [
    (mining, reduce) => contrastive({ mining, reduce }),
    (mining, reduce) =>
      contrastive(
        { positive: (d) => d.relu(), negative: (d) => d.neg().add(0.5).relu() },
        { metric: half, mining, reduce },
      ),
  ],
]

const { uniform } = random(2, 'embeddings')
const rows = (count: number) => Array.from({ length: count }, () => Array.from({ length: 4 }, () => uniform(-1, 1)))
const batch = { embeddings: rows(9), labels: [0, 1, 2, 0, 1, 2, 0, 1, 0] }
const references = { embeddings: rows(7), labels: [1, 0, 2, 2, 0, 1, 0] }
const tuples = { anchor: rows(6), positive: rows(6), negative: rows(6) }

async function expectHalf(ours: Loss, own: Loss, examples: LabelledRows | TupleRows, what: string) {
  const [one, other] = await Promise.all(
    [ours, own].map((loss) => valueAndGradient(loss, examples as LabelledRows<number[][]>)),
  )
  expect(other!.value, what).toBeCloseTo(one!.value / 2, 4)
  const slopes = [one!, other!].map(({ gradient }) => Object.values(gradient).flat(2) as number[])
  slopes[0]!.forEach((slope, i) => {
    expect(slopes[1]![i], what).toBeCloseTo(slope / 2, 3)
  })
  expect(Math.max(...slopes[0]!.map(Math.abs)), what).toBeGreaterThan(0)
}

test.each(miners)('mining, reducers and references: %o', async (ofOurs, ofOwn) => {
  for (const [ours, own] of losses) {
    for (const reduce of reducers) {
      const [one, other] = [ours(ofOurs, reduce), own(ofOwn, reduce)]
      await expectHalf(one, other, batch, `${one.name} ${reduce.name}`)
      await expectHalf(one, other, { ...batch, references }, `${one.name} ${reduce.name} with references`)
    }
    const [one, other] = [ours(ofOurs, mean), own(ofOwn, mean)].map((loss) => crossBatchMemory(loss, { size: 12 }))
    await expectHalf(one!, other!, batch, `${one!.name} of a memory`)
  }
})

test('tuples', async () => {
  for (const [ours, own] of losses) {
    for (const reduce of [mean, meanNonZero, sum])
      await expectHalf(ours(all(), reduce), own(all(), reduce), tuples, reduce.name)
  }
})

test('blocks: more positives than one holds', async () => {
  const n = 1200
  const many = { embeddings: rows(n), labels: Array.from({ length: n }, (_, i) => Math.max(0, i - 9)) }
  const [ours, own] = losses[0]!
  await expectHalf(ours(all(), sum), own(all(), sum), many, 'blocks')
})

test('check', async () => {
  for (const [, own] of losses) expect((await checkLoss(own(all(), mean))).problems).toEqual([])
  const flipped = triplet(({ ap, an }) => an.sub(ap).add(0.15).relu(), { metric: half })
  expect((await checkLoss(flipped)).problems.length).toBeGreaterThan(0)
})
