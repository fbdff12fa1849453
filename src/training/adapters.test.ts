/** Adapters and tuples, from vectors in memory to a model on disk and back. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { holdOutClasses, pickTuples, type Source, subset, tuples, vectors } from '../data/index.ts'
import { identity, linear, mlp } from '../encoders/index.ts'
import { InterruptedError, UsageError } from '../errors.ts'
import { evaluate } from '../evaluation/index.ts'
import type { VectorInput } from '../inputs/index.ts'
import * as losses from '../losses/index.ts'
import { cosine, euclidean } from '../metrics/index.ts'
import { exportEncoder } from '../model/export.ts'
import { createModel, loadModel } from '../model/model.ts'
import { random } from '../random.ts'
import { nearest } from '../search/index.ts'
import { type StepRecord, train } from './index.ts'

const dimension = 8
const input = { kind: 'vector', dimension } as const
const quick = { steps: 60, classesPerBatch: 6, perClass: 4, learningRate: 0.01, threads: 1, warn: () => {} }

/** Classes that three of the eight numbers tell apart, while the others mean nothing. */
function made(classes: number, each: number, seed: number): Source<VectorInput> {
  const { uniform } = random(seed, 'vectors')
  const data = new Float32Array(classes * each * dimension)
  const labels: string[] = []
  for (let name = 0; name < classes; name++) {
    const centre = [uniform(-1, 1), uniform(-1, 1), uniform(-1, 1)]
    for (let i = 0; i < each; i++) {
      const row = Array.from({ length: dimension }, (_, k) =>
        k < 3 ? centre[k]! + uniform(-0.1, 0.1) : uniform(-1, 1),
      )
      data.set(row, labels.length * dimension)
      labels.push(`class ${name}`)
    }
  }
  return vectors(data, { dimension, labels })
}

const all = made(30, 8, 1)
const { training, heldOut } = holdOutClasses(all, 0.3, 0)
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isometry-adapters-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** The rows as they come, of unit length where the metric looks at directions. */
async function raw(source: Source, metric = cosine): Promise<Float32Array> {
  const encoder = identity({ input })
  const model = await createModel(
    { ...(await describing(metric)), encoder: await exportEncoder(encoder, {}, metric), history: '' },
    { threads: 1 },
  )
  const { data } = await model.embed(source)
  await model.release()
  return data as Float32Array
}

async function describing(metric = cosine) {
  const loss = losses.triplet({ metric })
  const model = await train(training, { ...quick, steps: 1, loss, encoder: linear({ input, residual: true }) })
  await model.release()
  return { description: model.description }
}

describe('an adapter', () => {
  test.each([linear({ input, residual: true }), mlp({ input, residual: true, hidden: [16] })])(
    'begins with the vectors themselves and learns what tells classes apart: $name',
    async (encoder) => {
      const model = await train(training, { ...quick, encoder, validation: heldOut })
      const { before, after } = model.description.training.validation!
      const labels = Array.from(heldOut.labels)
      const embeddings = { dtype: 'float32', shape: [heldOut.length, dimension], data: await raw(heldOut) } as const
      expect(before).toEqual(await evaluate({ embeddings, labels }, cosine))
      expect(after.meanAveragePrecisionAtR).toBeGreaterThan(before.meanAveragePrecisionAtR + 0.1)

      const directory = join(folder, encoder.name)
      await model.save(directory)
      const loaded = await loadModel(directory)
      expect(loaded.description.input).toEqual(input)
      expect(loaded.description.encoder).toMatchObject({ name: encoder.name, residual: true, dimension })
      expect((await loaded.embed(heldOut)).data).toEqual((await model.embed(heldOut)).data)
      expect(await loaded.evaluate(heldOut)).toEqual(after)

      const [found] = await loaded.search(subset(heldOut, [3]), heldOut, { k: heldOut.length })
      expect(found!.query).toBe(heldOut.item(3))
      expect(found!.matches).toHaveLength(heldOut.length - 1)
      expect(found!.matches.map(({ item }) => item)).not.toContain(found!.query)
      const first = subset(all, [Number(found!.matches[0]!.item.slice('row '.length))])
      expect(await loaded.distance(subset(heldOut, [3]), first)).toBeCloseTo(found!.matches[0]!.distance, 5)
      await Promise.all([model.release(), loaded.release()])
    },
  )

  test('a vector of another source is found, though its row has the same number', async () => {
    const model = await train(training, { ...quick, steps: 1, encoder: linear({ input, residual: true }) })
    const [found] = await model.search(subset(made(1, 8, 2), [3]), made(1, 8, 3), { k: 99 })
    expect(found!.matches).toHaveLength(8)
    await model.release()
  })

  test('examples of another form are refused', async () => {
    const model = await train(training, { ...quick, steps: 1, encoder: linear({ input, residual: true }) })
    const others = vectors(new Float32Array(10), { dimension: 5 })
    await expect(model.embed(others)).rejects.toThrow(
      'The model takes vectors of 8 numbers, found vectors of 5 numbers.',
    )
    await expect(model.distance(heldOut, others)).rejects.toThrow(UsageError)
    await expect(model.distance(subset(all, [0]), subset(all, [1, 2]))).rejects.toThrow(/two examples, found 2 for one/)
    await expect(model.evaluate(tuples(others, { anchor: [0], positive: [1] }))).rejects.toThrow(UsageError)
    await expect(model.embed('letters')).rejects.toThrow(/should hold vectors of 8 numbers/)
    await expect(train(training, { ...quick, encoder: linear({ input }), validation: others })).rejects.toThrow(
      /train on has vectors of 8 numbers, that to evaluate on vectors of 5/,
    )
    await model.release()
  })
})

describe('queries adapted alone', () => {
  const encoder = linear({ input, residual: true })

  test.each([cosine, euclidean])('leave the gallery as it is, and find in it: $name', async (metric) => {
    const loss = losses.triplet({ metric })
    const model = await train(training, { ...quick, loss, encoder, adapt: 'queries', validation: heldOut })
    const { before, after } = model.description.training.validation!
    const gallery = await raw(heldOut, metric)
    expect((await model.embed(heldOut, { role: 'gallery' })).data).toEqual(gallery)
    const vectors = (await heldOut.read([...heldOut.labels.keys()])).data as Float32Array
    for (const [i, x] of gallery.entries()) {
      const row = vectors.subarray(i - (i % dimension), i - (i % dimension) + dimension)
      expect(x).toBeCloseTo(metric === cosine ? vectors[i]! / Math.hypot(...row) : x, 6)
    }
    if (metric === euclidean) expect(gallery).toEqual(vectors)
    const adapted = await model.embed(heldOut)
    expect(adapted.data).not.toEqual(gallery)

    // Each query is compared with every vector but its own.
    const labels = Array.from(heldOut.labels)
    const sides = {
      queries: { embeddings: adapted, labels },
      gallery: { embeddings: { ...adapted, data: gallery }, labels },
    }
    expect(after).toEqual(await evaluate(sides.queries, metric, { gallery: sides.gallery, own: true }))
    expect(before).toEqual(await evaluate(sides.gallery, metric))
    expect(after.meanAveragePrecisionAtR).toBeGreaterThan(before.meanAveragePrecisionAtR)

    const directory = join(folder, `queries in ${metric.name}`)
    await model.save(directory)
    const loaded = await loadModel(directory)
    expect(loaded.description.adapt).toBe('queries')
    expect(await loaded.evaluate(heldOut)).toEqual(after)
    const apart = await loaded.evaluate(subset(all, [0, 1]), { gallery: subset(all, [2, 3, 90]) })
    expect(apart.queries).toBe(2)
    const { indices } = await nearest(adapted, sides.gallery.embeddings, metric, { k: 2 })
    const results = await loaded.search(heldOut, heldOut, { k: 1 })
    const own = [indices[0], indices[1]].filter((index) => index !== 0)
    expect(results[0]!.matches[0]!.item).toBe(heldOut.item(own[0]!))
    await Promise.all([model.release(), loaded.release()])
  })

  test('are the same in parts of a batch as at once', async () => {
    const options = { ...quick, steps: 8, encoder, adapt: 'queries' } as const
    const [whole, parts] = [await train(training, options), await train(training, { ...options, microBatch: 5 })]
    const [a, b] = [await whole.embed(heldOut), await parts.embed(heldOut)]
    for (const [i, x] of a.data.entries()) expect(Number(b.data[i])).toBeCloseTo(Number(x), 4)
    await Promise.all([whole.release(), parts.release()])
  })

  test.each<[string, Partial<Parameters<typeof train>[1]>, RegExp]>([
    [
      'of another length',
      { encoder: linear({ input, dimension: 4 }) },
      /queries of 4 numbers cannot be compared with vectors of 8/,
    ],
    ['against class weights', { loss: losses.arcface() }, /found references/],
    [
      'with a slow encoder',
      { loss: losses.momentumEncoder(losses.triplet()) },
      /both say what a batch is compared with/,
    ],
  ])('are refused before training: %s', async (_, options, message) => {
    const onStep = () => expect.unreachable()
    const running = train(training, { ...quick, encoder, adapt: 'queries', onStep, ...options })
    await expect(running).rejects.toThrow(UsageError)
    await expect(running).rejects.toThrow(message)
  })
})

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
    expect(byClass.description.training.validation!.after).toEqual(await byClass.evaluate(heldOut))
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
