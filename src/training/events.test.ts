/** Training as events: evaluations on the way, the best of them, and several trainings at once. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryFolder, writeImages } from '../../test/images.ts'
import { affine, holdOutClasses, openImageFolder, type Source } from '../data/index.ts'
import { mlp } from '../encoders/index.ts'
import { DataError, InterruptedError, UsageError } from '../errors.ts'
import { contrastive, crossBatchMemory, triplet } from '../losses/index.ts'
import type { Model } from '../model/index.ts'
import { hasCheckpoint, type TrainingEvent, type TrainOptions, train, training } from './index.ts'

const input = { kind: 'image', channels: 1, height: 8, width: 8, resize: 'stretch' } as const
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let images: Source
let heldOut: Source
const at = (name: string) => join(folder.path, name)
beforeAll(async () => {
  folder = await temporaryFolder()
  const names = Array.from({ length: 10 }, (_, i) => `class ${i}`)
  await writeImages(at('data'), names, 5)
  const opened = await openImageFolder(at('data'), { input })
  ;({ training: images, heldOut } = holdOutClasses(opened, 0.4, 0))
})
afterAll(() => folder.dispose())

const plain = {
  encoder: mlp({ input, dimension: 6, hidden: [12] }),
  loss: triplet({ margin: 0.5 }),
  steps: 30,
  classesPerBatch: 5,
  perClass: 2,
  threads: 1,
  warn() {},
} satisfies TrainOptions

async function filesOf(model: Model): Promise<Record<'encoder' | 'last', Uint8Array | undefined>> {
  await model.save(at('saved'), { force: true })
  await model.release()
  const read = (name: string) => readFile(join(at('saved'), name)).catch(() => undefined)
  return { encoder: await read('encoder.onnx'), last: await read('last.onnx') }
}

async function collect(events: AsyncGenerator<TrainingEvent, Model>): Promise<[TrainingEvent[], Model]> {
  const seen: TrainingEvent[] = []
  for (;;) {
    const { done, value } = await events.next()
    if (done) return [seen, value]
    seen.push(value)
  }
}

test('events come in order, and end with the model that train gives', async () => {
  const steps: number[] = []
  const checkpoint = { directory: at('events'), every: 10 }
  const options = { ...plain, validation: heldOut, evaluateEvery: 15, keep: 'last', checkpoint } as const
  const [events, model] = await collect(training(images, { ...options, onStep: ({ step }) => steps.push(step) }))
  expect(events[0]).toEqual({ kind: 'begin', steps: 30, done: 0 })
  expect(events.filter(({ kind }) => kind === 'step')).toHaveLength(30)
  expect(steps).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  const others = events.flatMap((event) =>
    event.kind === 'step' || event.kind === 'begin' ? [] : [`${event.kind} ${event.step}`],
  )
  expect(others).toEqual(['checkpoint 10', 'evaluation 15', 'checkpoint 20', 'evaluation 30'])
  expect(await filesOf(model)).toEqual(await filesOf(await train(images, plain)))
})

test('the parameters of the best evaluation are the model, and the last are kept beside them', async () => {
  // So fast that it gets worse again.
  const options = { ...plain, validation: heldOut, evaluateEvery: 3, learningRate: 0.3, steps: 60 }
  const [events, model] = await collect(training(images, options))
  const found = events.filter((event) => event.kind === 'evaluation')
  const values = found.map(
    ({ evaluation }) => (evaluation as { meanAveragePrecisionAtR: number }).meanAveragePrecisionAtR,
  )
  const most = Math.max(...values)
  const place = values.indexOf(most)
  expect(found.filter(({ isBest }) => isBest).at(-1)!.step).toBe(3 * (place + 1))
  expect(place).toBeLessThan(values.length - 1)
  const { best, validation } = model.description.training
  expect(best).toEqual({ step: 3 * (place + 1), value: most, kept: true })
  expect(validation!.after.meanAveragePrecisionAtR).toBe(most)
  const files = await filesOf(model)
  expect(files.last).toEqual((await filesOf(await train(images, { ...options, keep: 'last' }))).encoder)
  // Evaluating changes nothing in what is learnt.
  const { validation: _, evaluateEvery: __, ...blind } = options
  expect((await filesOf(await train(images, blind))).encoder).toEqual(files.last)
})

test('stops when nothing gets better, by the measure that is named; resumed, it stops at the same step', async () => {
  const options = {
    ...plain,
    ...{ validation: heldOut, evaluateEvery: 2, learningRate: 0.3, steps: 400, patience: 3, measure: 'recallAtK.2' },
  }
  const [events, model] = await collect(training(images, options))
  const evaluations = events.filter((event) => event.kind === 'evaluation')
  const best = evaluations.findLastIndex(({ isBest }) => isBest)
  expect(evaluations.length).toBe(best + 4)
  expect(model.description.training.steps).toBe(2 * evaluations.length)
  const whole = await filesOf(model)

  const directory = at('patience')
  const controller = new AbortController()
  const stopped = train(images, {
    ...options,
    checkpoint: { directory },
    signal: controller.signal,
    onStep: ({ step }) => step === 2 * (best + 2) + 1 && controller.abort(),
  })
  await expect(stopped).rejects.toThrow(InterruptedError)
  const resumed = await train(images, { ...options, checkpoint: { directory, resume: true } })
  expect(resumed.description.training.best).toEqual(model.description.training.best)
  expect(await filesOf(resumed)).toEqual(whole)
})

test('epochs are how often all examples are drawn', async () => {
  const { steps: _, ...options } = plain
  const model = await train(images, { ...options, epochs: 3 })
  // 30 images, 10 in a batch.
  expect(model.description.training.steps).toBe(9)
  await model.release()
})

test('two trainings in one process do not disturb each other', async () => {
  const others = { augmentation: affine(), seed: 4, loss: crossBatchMemory(contrastive(), { size: 20 }) }
  const [one, two] = [plain, { ...plain, ...others }]
  const apart = [await filesOf(await train(images, one)), await filesOf(await train(images, two))]
  const [left, right] = [training(images, one), training(images, two)]
  const models: Model[] = []
  for (let running = [left, right]; running.length > 0; ) {
    const results: IteratorResult<TrainingEvent, Model>[] = []
    for (const events of running) results.push(await events.next())
    for (const { done, value } of results) if (done) models.push(value)
    running = running.filter((_, i) => !results[i]!.done)
  }
  expect([await filesOf(models[0]!), await filesOf(models[1]!)]).toEqual(apart)
})

test('an image that is gone when it is read ends training with its name, and what was learnt is kept', async () => {
  await writeImages(at('leaving'), ['a', 'b', 'c'], 4)
  const few = await openImageFolder(at('leaving'), { input, memory: 200 })
  const events = training(few, { ...plain, checkpoint: { directory: at('left') }, classesPerBatch: 3 })
  const failed = (async () => {
    for await (const event of events) {
      if (event.kind === 'step' && event.record.step === 5) await rm(at('leaving'), { recursive: true })
    }
  })()
  await expect(failed).rejects.toThrow(DataError)
  expect(await hasCheckpoint(at('left'))).toBe(true)
})

test('what does not go together is said before any step', async () => {
  const refused = (options: Partial<TrainOptions>) => expect(train(images, { ...plain, ...options })).rejects
  await refused({ evaluateEvery: 5 }).toThrow(/evaluateEvery needs data to evaluate on/)
  await refused({ patience: 5 }).toThrow(/patience goes by evaluations/)
  await refused({ epochs: 0 }).toThrow(/epochs is 0; expected a number above 0/)
  const evaluated = { validation: heldOut, evaluateEvery: 5 }
  await refused({ ...evaluated, patience: 0.5 }).toThrow(/patience is 0.5; expected a whole number/)
  await refused({ ...evaluated, measure: 'accuracy' }).toThrow(UsageError)
  await refused({ ...evaluated, measure: 'accuracy' }).toThrow(
    /no measure accuracy.*Choose among precisionAt1, recallAtK\.1/,
  )
})
