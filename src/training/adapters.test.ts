/** Adapters, from vectors in memory to a model on disk and back. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { made } from '../../test/vectors.ts'
import { holdOutClasses, type Source, subset, tuples, vectors } from '../data/index.ts'
import { identity, linear, mlp } from '../encoders/index.ts'
import { UsageError } from '../errors.ts'
import { evaluate } from '../evaluation/index.ts'
import * as losses from '../losses/index.ts'
import { cosine, euclidean } from '../metrics/index.ts'
import { exportEncoder } from '../model/export.ts'
import { createModel, loadModel } from '../model/model.ts'
import { nearest } from '../search/index.ts'
import { train } from './index.ts'

const dimension = 8
const input = { kind: 'vector', dimension } as const
const quick = { steps: 60, classesPerBatch: 6, perClass: 4, learningRate: 0.01, threads: 1, warn: () => {} }

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
      expect(before).toEqual(await evaluate({ embeddings, labels }, cosine, { only: 'retrieval' }))
      expect(after.meanAveragePrecisionAtR).toBeGreaterThan(before.meanAveragePrecisionAtR + 0.1)

      const directory = join(folder, encoder.name)
      await model.save(directory)
      const loaded = await loadModel(directory)
      expect(loaded.description.input).toEqual(input)
      expect(loaded.description.encoder).toMatchObject({ name: encoder.name, residual: true, dimension })
      expect((await loaded.embed(heldOut)).data).toEqual((await model.embed(heldOut)).data)
      expect(await loaded.evaluate(heldOut, { only: 'retrieval' })).toEqual(after)

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
    expect(after).toEqual(
      await evaluate(sides.queries, metric, { gallery: sides.gallery, own: true, only: 'retrieval' }),
    )
    expect(before).toEqual(await evaluate(sides.gallery, metric, { only: 'retrieval' }))
    expect(after.meanAveragePrecisionAtR).toBeGreaterThan(before.meanAveragePrecisionAtR)

    const directory = join(folder, `queries in ${metric.name}`)
    await model.save(directory)
    const loaded = await loadModel(directory)
    expect(loaded.description.adapt).toBe('queries')
    expect(await loaded.evaluate(heldOut, { only: 'retrieval' })).toEqual(after)
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
