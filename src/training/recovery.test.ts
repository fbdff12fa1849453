import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder, writeImages } from '../../test/images.ts'
import { openImageFolder, type Source } from '../data/index.ts'
import { convolutional } from '../encoders/index.ts'
import { RuntimeError } from '../errors.ts'
import { type Loss, type TripletDistances, triplet } from '../losses/index.ts'
import { cosine, type Metric } from '../metrics/index.ts'
import { batchHard, type Miner } from '../mining/index.ts'
import type { OnCollapse } from './collapse.ts'
import { type StepRecord, train } from './index.ts'

const input = { kind: 'image', channels: 1, height: 12, width: 12, resize: 'stretch' } as const

let folder: Awaited<ReturnType<typeof temporaryFolder>>
/** Classes with nothing in common: pulling them together by their hardest pairs pulls everything together. */
let images: Source

beforeAll(async () => {
  folder = await temporaryFolder()
  const names = Array.from({ length: 9 }, (_, i) => `class ${i}`)
  await writeImages(folder.path, names, 6, { alike: false })
  images = await openImageFolder(folder.path, { input })
})
afterAll(() => folder.dispose())

async function collapsing(onCollapse: OnCollapse, loss: Loss = triplet({ mining: batchHard() })) {
  const [history, warnings]: [StepRecord[], string[]] = [[], []]
  const model = await train(images, {
    encoder: convolutional({ input, channels: [8, 8], dimension: 8 }),
    loss,
    onCollapse,
    steps: 60,
    classesPerBatch: 8,
    perClass: 3,
    learningRate: 0.01,
    onStep: (record) => history.push(record),
    warn: (message) => warnings.push(message),
  })
  await model.release()
  return { history, warnings, events: history.flatMap(({ event }) => event ?? []) }
}

describe('training that collapses', () => {
  test('says so once, with what to change, and goes on', async () => {
    const { history, warnings, events } = await collapsing('warn')
    expect(events).toEqual(['collapsed'])
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/collapsed at step \d+: .*semiHard or all in place of batchHard.*cosineMarginTriplet/)
    expect(history).toHaveLength(60)
    // The very trap: the loss stays at the margin.
    expect(history.at(-1)!.loss).toBeCloseTo(0.2, 2)
    expect(history.at(-1)!.spread).toBeLessThan(0.01)
    expect(history.at(-1)!.effectiveRank).toBeLessThan(history[0]!.effectiveRank!)
  })

  test('stops where it is asked to', async () => {
    const stopped = collapsing('stop')
    await expect(stopped).rejects.toThrow(RuntimeError)
    await expect(stopped).rejects.toThrow(/nearly one point/)
  })

  test('goes back, takes all triplets until the spread is back, and then mines again', async () => {
    const { history, warnings, events } = await collapsing('recover')
    expect(events.slice(0, 2)).toEqual(['wentBack', 'recovered'])
    const [back, recovered] = ['wentBack', 'recovered'].map((event) =>
      history.findIndex((each) => each.event === event),
    )
    // From the very parameters it began with, whose batches had this spread.
    expect(history[back! + 1]!.spread).toBeGreaterThan(0.5 * history[0]!.spread)
    expect(history[recovered!]!.spread).toBeGreaterThan(0.1)
    expect(warnings[1]).toMatch(/Went back to the parameters of the beginning; all triplets count/)
    expect(warnings[2]).toMatch(/spread is back at step \d+.*chosen by batchHard again/)
  })

  test('is watched in one’s own metric, with one’s own loss and miner', async () => {
    const farthestOnly: Miner = {
      name: 'farthestOnly',
      select: ({ distances, same, other }) => ({
        kind: 'pairs',
        positive: same.and(distances.greaterEqual(distances.mul(same.cast('float32')).max([1], true))).cast('float32'),
        negative: other.and(distances.lessEqual(other.where(distances, 9).min([1], true))).cast('float32'),
      }),
    }
    const half: Metric = {
      name: 'half the cosine',
      range: [0, 1],
      directional: true,
      triangle: false,
      pairwise: (a, b) => cosine.pairwise(a, b).div(2),
      matrix: (a, b) => cosine.matrix(a, b).div(2),
    }
    const formula = ({ ap, an }: TripletDistances) => ap.sub(an).add(0.1).relu()
    const own = triplet(formula, { metric: half, mining: farthestOnly })
    const { history, warnings, events } = await collapsing('recover', own)
    expect(events.slice(0, 2)).toEqual(['wentBack', 'recovered'])
    expect(warnings[0]).toMatch(/collapsed at step \d+/)
    expect(warnings.join()).toMatch(/chosen by farthestOnly again/)
    expect(history.every(({ activeTriplets }) => activeTriplets! >= 0 && activeTriplets! <= 1)).toBe(true)
  })

  test('halves the learning rate where there is no mining to soften', async () => {
    const { build, metric, name } = triplet({ mining: batchHard() })
    const { warnings } = await collapsing('recover', { build, metric, name })
    expect(warnings[1]).toMatch(/the learning rate is 0.005 from now on/)
  })
})
