import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryFolder, writeImages } from '../../test/images.ts'
import { affine, holdOutClasses, itemsOf, openImageFolder, type Source, subset } from '../data/index.ts'
import { convolutional, mlp } from '../encoders/index.ts'
import { DataError, InterruptedError, RuntimeError, UsageError } from '../errors.ts'
import { cosineMarginTriplet, type LabelledExamples, type Loss, triplet } from '../losses/index.ts'
import { euclidean, squaredEuclidean } from '../metrics/index.ts'
import { batchHard } from '../mining/index.ts'
import { loadModel } from '../model/index.ts'
import { readModel } from '../onnx/codec.ts'
import { sgd } from '../optimizers/index.ts'
import { open } from '../runtime/node.ts'
import { type DivergedError, type StepRecord, train } from './index.ts'

const input = { kind: 'image', channels: 1, height: 12, width: 12, resize: 'stretch' } as const
const encoder = convolutional({ input, channels: [8, 8], dimension: 8 })
const quick = { encoder, steps: 30, classesPerBatch: 4, perClass: 3, warn: () => {} }

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let images: Source

beforeAll(async () => {
  folder = await temporaryFolder()
  const names = Array.from({ length: 9 }, (_, i) => `class ${i}`)
  await writeImages(folder.path, names, 6)
  images = await openImageFolder(folder.path, { input })
})
afterAll(() => folder.dispose())

test('training lowers the loss and tells classes apart that it has not seen', async () => {
  const { training, heldOut } = holdOutClasses(images, 0.3, 1)
  const losses: number[] = []
  const model = await train(training, { ...quick, validation: heldOut, onStep: ({ loss }) => losses.push(loss) })
  expect(losses).toHaveLength(30)
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length
  expect(mean(losses.slice(-5))).toBeLessThan(0.5 * mean(losses.slice(0, 5)))
  const { after } = model.description.training.validation!
  // Training looks at retrieval alone.
  const { precisionAt1, recallAtK, meanAveragePrecisionAtR, rPrecision } = after
  const measured = { precisionAt1, recallAtK, meanAveragePrecisionAtR, rPrecision }
  expect(await model.evaluate(heldOut)).toMatchObject(measured)
  // By chance it would be about 0.2: five of the other seventeen images are of the query's class.
  expect(after.meanAveragePrecisionAtR).toBeGreaterThan(0.8)
  expect(model.description.heldOut).toEqual({
    classes: heldOut.classes,
    items: itemsOf(heldOut),
    labels: Array.from(heldOut.labels),
  })
  await model.release()
})

test('other losses, metrics, miners, encoders, optimisers and augmentation train too', async () => {
  for (const options of [
    { loss: triplet({ metric: euclidean, mining: batchHard(), margin: 1 }), optimizer: sgd({ momentum: 0.9 }) },
    { loss: triplet({ metric: squaredEuclidean, smooth: true }), augmentation: affine() },
    { loss: cosineMarginTriplet({ scale: 64 }), encoder: mlp({ input, hidden: [32], dimension: 8 }) },
  ]) {
    const records: StepRecord[] = []
    const model = await train(images, { ...quick, ...options, onStep: (record) => records.push(record) })
    expect(records.at(-1)!.loss!).toBeLessThan(records[0]!.loss!)
    expect(Object.values(records.at(-1)!).every(Number.isFinite)).toBe(true)
    expect(model.metric.name).toBe(options.loss.metric.name)
    await model.release()
  }
})

test('a saved model is an ordinary ONNX file that gives the same embeddings for any number of images', async () => {
  const model = await train(images, quick)
  const directory = join(folder.path, '..', `${folder.path.split('/').at(-1)}.model`)
  await model.save(directory)
  const loaded = await loadModel(directory)
  const some = subset(images, [3, 1, 4, 1, 5])
  const embeddings = await model.embed(some)
  expect((await loaded.embed(some)).data).toEqual(embeddings.data)

  const bytes = await readFile(join(directory, 'encoder.onnx'))
  const { graph } = readModel(bytes)
  expect(graph.inputs.map(({ name, type }) => [name, type?.tensor?.shape?.dimensions])).toEqual([
    ['pixels', [{ parameter: 'n' }, { value: 1 }, { value: 12 }, { value: 12 }]],
  ])
  expect(graph.outputs.map(({ name, type }) => [name, type?.tensor?.shape?.dimensions])).toEqual([
    ['embedding', [{ parameter: 'n' }, { value: 8 }]],
  ])
  // Batch normalisation and the variance's root are folded into the weights.
  const operators = new Set(graph.nodes.map(({ operator }) => operator))
  expect(operators).not.toContain('BatchNormalization')
  const convolutions = graph.nodes.filter(({ operator }) => operator === 'Conv')
  const stored = new Set(graph.initializers.map(({ name }) => name))
  for (const { inputs } of convolutions) expect(inputs.slice(1).every((name) => stored.has(name))).toBe(true)

  const program = await open(bytes)
  for (const rows of [[2], [0, 7, 8, 20]]) {
    const pixels = Float32Array.from((await images.read(rows)).data as Uint8Array)
    const results = await program.run({ pixels: { dtype: 'float32', shape: [rows.length, 1, 12, 12], data: pixels } })
    const own = await loaded.embed(subset(images, rows))
    for (const [i, value] of own.data.entries()) expect(results.embedding!.data[i]).toBeCloseTo(Number(value), 5)
    expect(Math.hypot(...(results.embedding!.data.subarray(0, 8) as Float32Array))).toBeCloseTo(1, 5)
  }
  await program.release()

  const [a, b] = [images.item(0), images.item(9)]
  const [result] = await loaded.search(a, [b])
  expect(result!.matches[0]!.distance).toBeCloseTo(await loaded.distance(a, b), 5)
  expect(await loaded.distance(a, a)).toBeCloseTo(0, 5)
  await expect(model.save(directory)).rejects.toThrow(DataError)
  await model.save(directory, { force: true })
  expect((await readdir(join(directory, '..'))).filter((name) => name.includes('.partial'))).toEqual([])
  await Promise.all([model.release(), loaded.release()])
  await (await import('node:fs/promises')).rm(directory, { recursive: true })
})

test('a stopped run ends after its step', async () => {
  const controller = new AbortController()
  const running = train(images, {
    ...quick,
    steps: 1000,
    signal: controller.signal,
    onStep: ({ step }) => step === 3 && controller.abort(),
  })
  await expect(running).rejects.toThrow(InterruptedError)
  await expect(running).rejects.toThrow('Training was stopped after step 3 of 1000.')
})

test('what cannot be trained is said before any step', async () => {
  const wide = convolutional({ input: { channels: 3, height: 12, width: 12 }, dimension: 8 })
  await expect(train(images, { ...quick, encoder: wide })).rejects.toThrow(
    /takes images of 3 × 12 × 12.*has images of 1 × 12 × 12/,
  )
  await expect(train(images, { ...quick, steps: 0 })).rejects.toThrow(UsageError)
  await expect(train(images, { ...quick, learningRate: -1 })).rejects.toThrow(UsageError)
  await expect(train(subset(images, [0, 1, 2]), quick)).rejects.toThrow(DataError)
})

test('a loss that is no longer finite stops training with what to change', async () => {
  const running = train(images, {
    ...quick,
    loss: triplet({ metric: squaredEuclidean }),
    learningRate: 1e30,
    optimizer: sgd(),
  })
  await expect(running).rejects.toThrow(RuntimeError)
  await expect(running).rejects.toThrow(/The loss became .* at step \d+\. Lower the learning rate/)
  const { model } = (await running.catch((error) => error)) as DivergedError
  expect((await model.embed(images)).data.every((x) => Number.isFinite(Number(x)))).toBe(true)
  await model.release()
})

test('a gradient that is not finite stops training before it reaches the parameters', async () => {
  const loss: Loss = {
    name: 'own',
    metric: euclidean,
    build({ embeddings }: LabelledExamples) {
      // Finite, with the gradient of a logarithm at zero.
      const value = embeddings.mul(0).sum()
      return { value: value.withGradient({ inputs: [embeddings], rule: () => [embeddings.mul(0).log()] }) }
    },
  } as Loss
  const encoder = mlp({ input, hidden: [8], dimension: 6 })
  const running = train(images, { ...quick, encoder, loss })
  await expect(running).rejects.toThrow(
    /The loss is 0 at step 1, but its gradient is not finite.*The first to lose it is Log of Mul's float32 \[12, 6\] from .* to .*holds the parameters before that step/,
  )
  const { model } = (await running.catch((error) => error)) as DivergedError
  const untrained = await train(images, {
    ...quick,
    encoder,
    loss: triplet({ metric: euclidean }),
    steps: 1,
    learningRate: 1e-30,
  })
  expect((await model.embed(images)).data).toEqual((await untrained.embed(images)).data)
  await model.release()
  await untrained.release()
})

test('a directory that is not a model is not replaced', async () => {
  const directory = join(folder.path, 'other')
  await mkdir(directory)
  await writeFile(join(directory, 'notes'), 'mine')
  const model = await train(images, { ...quick, steps: 1 })
  await expect(model.save(directory, { force: true })).rejects.toThrow(/not a model, so it is not replaced/)
  expect(await readdir(directory)).toEqual(['notes'])
  await model.release()
})
