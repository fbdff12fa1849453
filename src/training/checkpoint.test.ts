/** Checkpoints: whole or not at all, and training that goes on from them as if it had never stopped. */
import { symlinkSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryFolder, writeImages } from '../../test/images.ts'
import { expectSameBytes } from '../../test/tolerance.ts'
import { affine, holdOutExamples, openImageFolder, type Source } from '../data/index.ts'
import { mlp } from '../encoders/index.ts'
import { DataError, InterruptedError } from '../errors.ts'
import {
  arcface,
  contrastive,
  crossBatchMemory,
  dynamicSoftMargin,
  margin,
  matryoshka,
  momentumEncoder,
  ntxent,
  selfSupervised,
  softTriple,
  triplet,
  weightedSum,
} from '../losses/index.ts'
import { batchHard, distanceWeighted } from '../mining/index.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { type TrainOptions, train } from './index.ts'

const input = { kind: 'image', channels: 1, height: 8, width: 8, resize: 'stretch' } as const
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let images: Source
const at = (name: string) => join(folder.path, name)
beforeAll(async () => {
  folder = await temporaryFolder()
  await writeImages(
    at('data'),
    Array.from({ length: 6 }, (_, i) => `class ${i}`),
    5,
    { alike: false },
  )
  images = await openImageFolder(at('data'), { input })
})
afterAll(() => folder.dispose())

const warnings: string[] = []
const plain = {
  encoder: mlp({ input, dimension: 6, hidden: [12] }),
  loss: triplet({ margin: 0.5 }),
  steps: 40,
  classesPerBatch: 5,
  perClass: 2,
  threads: 1,
  warn: (message: string) => warnings.push(message),
} satisfies TrainOptions

async function encoderOf(options: TrainOptions): Promise<Uint8Array> {
  const model = await train(images, options)
  await model.save(at('saved'), { force: true })
  await model.release()
  return readFile(join(at('saved'), 'encoder.onnx'))
}

const collapsing = {
  loss: triplet({ mining: batchHard() }),
  learningRate: 0.1,
  onCollapse: 'recover',
  steps: 90,
} as const
const boundaries = margin({ learnBeta: 'perClass', nu: 0.1, mining: distanceWeighted() })
const several = weightedSum([
  { loss: crossBatchMemory(contrastive(), { size: 30 }) },
  { loss: dynamicSoftMargin(), weight: 0.5 },
  { loss: matryoshka(softTriple({ centersPerClass: 2 }), { dimensions: [3, 6] }) },
])
const moco = momentumEncoder(selfSupervised(crossBatchMemory(ntxent(), { size: 40 })), { momentum: 0.9 })

test.each<[string, Partial<TrainOptions>, number]>([
  ['plain', {}, 17],
  ['several batches a step, drawn at random', { accumulate: 2, augmentation: affine() }, 23],
  ['in parts', { microBatch: 4, augmentation: affine(), loss: arcface() }, 11],
  ['two views, a memory and a slow encoder', { augmentation: affine(), loss: moco }, 20],
  ['boundaries of classes, mined by drawing', { loss: boundaries }, 13],
  ['a sum of a memory, a running histogram and centres at two lengths', { loss: several }, 26],
  ['having collapsed and gone back', collapsing, 25],
  ['having collapsed and come back', collapsing, 60],
  ['once it is near its end', {}, 39],
])('stopped and resumed, it is what it would have been: %s', async (name, settings, stop) => {
  const options = { ...plain, ...settings }
  const whole = await encoderOf(options)
  const directory = at(`kept ${name}`)
  const controller = new AbortController()
  const stopped = encoderOf({
    ...options,
    checkpoint: { directory, every: 1000 },
    signal: controller.signal,
    onStep: ({ step }) => step === stop && controller.abort(),
  })
  await expect(stopped).rejects.toThrow(InterruptedError)
  await expect(stopped).rejects.toThrow(`stopped after step ${stop}`)
  if ('onCollapse' in settings) expect(warnings.join()).toMatch(/collapsed at step \d+[\s\S]*Went back/)
  expectSameBytes(await encoderOf({ ...options, checkpoint: { directory, resume: true } }), whole)
})

const checkpoint = (step: number): Checkpoint => ({
  identity: { seed: 1 },
  history: [],
  tensors: { w: { dtype: 'float32', shape: [2], data: Float32Array.of(step, Math.PI) } },
  state: { step },
})

test('on a full disk the one before it is kept, and training goes on with a warning', async () => {
  const directory = at('full')
  await writeCheckpoint(directory, checkpoint(1))
  // Writes to it fail as on a full disk; what was begun is cleared away each time.
  const partial = join(directory, 'checkpoint.safetensors.partial')
  const fill = () => symlinkSync('/dev/full', partial)
  fill()
  const failed = writeCheckpoint(directory, checkpoint(2))
  await expect(failed).rejects.toThrow(DataError)
  await expect(failed).rejects.toThrow(/ENOSPC.*The one before it is kept/)
  expect(await readdir(directory)).toEqual(['checkpoint.safetensors'])
  expect(await readCheckpoint(directory, { seed: 1 }, () => {})).toEqual(checkpoint(1))

  warnings.length = 0
  const whole = await encoderOf(plain)
  fill()
  const warn = (message: string) => {
    warnings.push(message)
    fill()
  }
  expectSameBytes(await encoderOf({ ...plain, warn, checkpoint: { directory, every: 10 } }), whole)
  expect(warnings.filter((each) => each.includes('ENOSPC'))).toHaveLength(3)
})

test('the last and the one before it are kept; another training is refused; nothing there is nothing to go on with', async () => {
  const directory = at('three')
  expect(await readCheckpoint(directory, {}, () => {})).toBeUndefined()
  for (const step of [1, 2, 3]) await writeCheckpoint(directory, checkpoint(step))
  expect((await readdir(directory)).sort()).toEqual(['checkpoint.safetensors', 'previous.safetensors'])
  expect(await readCheckpoint(directory, { seed: 1 }, () => {})).toEqual(checkpoint(3))
  await expect(readCheckpoint(directory, { seed: 2 }, () => {})).rejects.toThrow(/its seed is 1, here it is 2/)
})

test('what is evaluated on the way belongs to a training: other examples to evaluate, or to compare them with, are refused', async () => {
  const directory = at('evaluated')
  const { training, heldOut } = holdOutExamples(images, 0.4, 0)
  const evaluated = { ...plain, steps: 4, evaluateEvery: 2, validation: heldOut, validationGallery: training }
  const controller = new AbortController()
  const onStep = ({ step }: { step: number }) => step === 2 && controller.abort()
  const stopped = train(training, { ...evaluated, checkpoint: { directory }, signal: controller.signal, onStep })
  await expect(stopped).rejects.toThrow(InterruptedError)
  const resumed = (changes: Partial<TrainOptions>) =>
    train(training, { ...evaluated, ...changes, checkpoint: { directory, resume: true } })
  await expect(resumed({ validationGallery: heldOut })).rejects.toThrow(/another training: its validationGallery is/)
  await expect(resumed({ validationGallery: undefined })).rejects.toThrow(/its validationGallery is .*undefined/)
  await expect(resumed({ validation: training })).rejects.toThrow(/another training: its validation is/)
  const { description, release } = await resumed({})
  expect(description.training.steps).toBe(4)
  await release()
})
