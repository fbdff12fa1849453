/** Training on tuples, and what is said of them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { made } from '../../test/vectors.ts'
import { holdOutClasses, pickTuples, type Source, subset, tuples } from '../data/index.ts'
import { linear } from '../encoders/index.ts'
import { InterruptedError, UsageError } from '../errors.ts'
import * as losses from '../losses/index.ts'
import { euclidean } from '../metrics/index.ts'
import { random } from '../random.ts'
import { type StepRecord, train } from './index.ts'

const dimension = 8
const input = { kind: 'vector', dimension } as const
const quick = { steps: 60, classesPerBatch: 6, perClass: 4, learningRate: 0.01, threads: 1, warn: () => {} }

const { training, heldOut } = holdOutClasses(made(30, 8, 1), 0.3, 0)
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isometry-tuples-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Each row some times, with another of its class and two of other classes. */
function triplesOf(source: Source, times = 6) {
  const { integer } = random(5, 'tuples')
  const rows = Array.from(source.labels.keys())
  const anchor = rows.flatMap((row) => new Array<number>(times).fill(row))
  const draw = (fits: (other: number) => boolean) => {
    const fitting = rows.filter(fits)
    return fitting[integer(fitting.length)]!
  }
  const classOf = (row: number) => source.labels[row]
  const other = (row: number) => draw((each) => classOf(each) !== classOf(row))
  return {
    anchor,
    positive: anchor.map((row) => draw((each) => each !== row && classOf(each) === classOf(row))),
    negative: anchor.map(other),
    secondNegative: anchor.map(other),
  }
}

function tripletsOf(source: Source) {
  const { secondNegative: _, ...parts } = triplesOf(source)
  return tuples(source, parts)
}

function gradedOf(source: Source) {
  const { anchor, positive, negative } = triplesOf(source)
  const score = [...anchor, ...anchor].map((_, i) => Number(i < anchor.length))
  return tuples(source, { a: [...anchor, ...anchor], b: [...positive, ...negative], score })
}

/** Of each class a pair. */
function pairsOf(source: Source) {
  const anchor = [...source.classes.keys()].map((each) => source.labels.indexOf(each))
  return tuples(source, { anchor, positive: anchor.map((row) => row + 1) })
}

describe('tuples', () => {
  const encoder = linear({ input, residual: true })
  const triplets = tripletsOf(training)

  test.each([
    ['triplet', losses.triplet(), triplets, tripletsOf(heldOut), 'inOrder'],
    ['quadruplet', losses.quadruplet(), tuples(training, triplesOf(training)), tripletsOf(heldOut), 'inOrder'],
    ['multipleNegatives', losses.multipleNegatives(), pairsOf(training), pairsOf(heldOut), 'precisionAt1'],
    ['coSENT', losses.coSENT(), gradedOf(training), gradedOf(heldOut), 'spearman'],
    ['angle', losses.angle(), gradedOf(training), gradedOf(heldOut), 'spearman'],
    ['cosineMse', losses.cosineMse(), gradedOf(training), gradedOf(heldOut), 'areaUnderRoc'],
  ] as const)('train %s, and what is held out improves', async (_, loss, data, validation, measure) => {
    const records: StepRecord[] = []
    const onStep = (record: StepRecord) => void records.push(record)
    const model = await train(data, { ...quick, steps: 100, encoder, loss, validation, onStep })
    const { before, after } = model.description.training.tuples! as unknown as Record<string, Record<string, number>>
    expect(after![measure]!).toBeGreaterThan(before![measure]!)
    expect(await model.evaluate(validation)).toEqual(after)
    const last = records.at(-1)!
    expect(last.positiveDistance).toBeLessThan(last.negativeDistance)
    expect(last.spread).toBeGreaterThan(last.positiveDistance)
    expect(Object.values(last).every(Number.isFinite)).toBe(true)
    expect(model.description.training.settings).toMatchObject({ tuplesPerBatch: 64 })
    expect(model.description.training.settings).not.toHaveProperty('perClass')
    // No member of the held-out tuples is one of those trained on.
    expect(model.description.heldOut.items.length).toBeGreaterThan(0)
    await model.release()
  })

  test.each([losses.nPairs(), losses.vicreg(), losses.selfSupervised(losses.ntxent())])(
    'of two parts train $name too',
    async (loss) => {
      const model = await train(pairsOf(training), { ...quick, steps: 3, encoder, loss })
      expect(model.description.loss).toMatchObject({ name: loss.name })
      await model.release()
    },
  )

  test('may be evaluated by classes, and classes by tuples', async () => {
    const byClass = await train(triplets, { ...quick, encoder, validation: heldOut })
    expect(byClass.description.training.validation!.after).toEqual(
      await byClass.evaluate(heldOut, { only: 'retrieval' }),
    )
    const held = tripletsOf(heldOut)
    const byTuples = await train(training, { ...quick, encoder, validation: held })
    expect(byTuples.description.training.tuples!.after).toEqual(await byTuples.evaluate(held))
    await Promise.all([byClass.release(), byTuples.release()])
  })

  test('what they say of a batch is what their distances are', async () => {
    const few = pickTuples(triplets, [0, 20, 40])
    const records: StepRecord[] = []
    const loss = losses.triplet({ metric: euclidean })
    const onStep = (record: StepRecord) => void records.push(record)
    const model = await train(few, { ...quick, steps: 1, encoder, loss, onStep })
    const rows = Object.values(few.members).map((each) => subset(training, each))
    const read = async (i: number) => (await rows[i]!.read([0, 1, 2])).data as Float32Array
    const [a, p, n] = [await read(0), await read(1), await read(2)]
    const distance = (x: Float32Array, i: number, y: Float32Array, j: number) =>
      Math.hypot(...Array.from({ length: dimension }, (_, k) => x[i * dimension + k]! - y[j * dimension + k]!))
    const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length
    const each = [0, 1, 2]
    expect(records[0]!.positiveDistance).toBeCloseTo(mean(each.map((i) => distance(a, i, p, i))), 5)
    expect(records[0]!.negativeDistance).toBeCloseTo(mean(each.map((i) => distance(a, i, n, i))), 5)
    const every = each.flatMap((i) => each.flatMap((j) => [distance(a, i, p, j), distance(a, i, n, j)]))
    expect(records[0]!.spread).toBeCloseTo(mean(every), 5)
    await model.release()
  })

  test('with queries adapted alone, anchors go through the encoder and the others do not', async () => {
    const held = tripletsOf(heldOut)
    const model = await train(triplets, { ...quick, encoder, adapt: 'queries', validation: held })
    const { before, after } = model.description.training.tuples!
    expect(before.kind === 'tuples' && after.kind === 'tuples' && after.inOrder - before.inOrder).toBeGreaterThan(0)
    expect(await model.evaluate(held)).toEqual(after)
    await model.release()
  })

  test.each([
    ['plain', {}],
    ['in parts, two batches a step', { microBatch: 7, accumulate: 2 }],
  ])('stopped and resumed, training ends where it would have: %s', async (name, settings) => {
    const options = { ...quick, steps: 20, tuplesPerBatch: 16, encoder, loss: losses.triplet(), ...settings }
    const data = triplets
    const whole = await train(data, options)
    const directory = join(folder, `kept ${name}`)
    const controller = new AbortController()
    const stopped = train(data, {
      ...options,
      checkpoint: { directory },
      signal: controller.signal,
      onStep: ({ step }) => step === 9 && controller.abort(),
    })
    await expect(stopped).rejects.toThrow(InterruptedError)
    const resumed = await train(data, { ...options, checkpoint: { directory, resume: true } })
    expect((await resumed.embed(heldOut)).data).toEqual((await whole.embed(heldOut)).data)
    await expect(
      train(pickTuples(data, [1, 2, 3]), { ...options, checkpoint: { directory, resume: true } }),
    ).rejects.toThrow(/belongs to another training: its data is/)
    await Promise.all([whole.release(), resumed.release()])
  })

  test.each([
    ['weights of classes', losses.arcface(), triplets, /two classes at least|found tuples/],
    ['no second negative', losses.quadruplet(), triplets, /needs tuples of anchor, positive, negative and/],
    ['no score', losses.coSENT(), triplets, /takes graded pairs/],
    ['scores', losses.triplet(), gradedOf(training), /found graded pairs. Use coSENT, angle or cosineMse/],
    [
      'no negative',
      losses.triplet(),
      tuples(training, { anchor: [0, 1], positive: [1, 0] }),
      /found pairs without a negative. Use multipleNegatives or nPairs/,
    ],
    [
      'scores out of range',
      losses.cosineMse(),
      tuples(training, { a: [0, 1], b: [1, 2], score: [0.5, 4] }),
      /The score of tuple 1 is 4; cosineMse takes scores from -1 to 1. Scale them, or use coSENT/,
    ],
    ['a memory', losses.crossBatchMemory(losses.triplet(), { size: 9 }), triplets, /takes labelled batches/],
    [
      'a slow encoder',
      losses.momentumEncoder(losses.triplet()),
      triplets,
      /slow encoder embeds what a labelled batch is compared with, found tuples/,
    ],
  ])('are refused before training by a loss that they do not fit: %s', async (_, loss, data, message) => {
    const running = train(data, { ...quick, encoder, loss, onStep: () => expect.unreachable() })
    await expect(running).rejects.toThrow(UsageError)
    await expect(running).rejects.toThrow(message)
  })
})
