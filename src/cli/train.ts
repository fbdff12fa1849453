/** `isometry train` */
import {
  affine,
  holdOutClasses,
  isVectorsFile,
  openImageFolder,
  openSource,
  openVectorsFile,
  type Source,
} from '../data/index.ts'
import { type Encoder, type Pixels, takesImages } from '../encoders/index.ts'
import { RuntimeError } from '../errors.ts'
import type { Loss } from '../losses/index.ts'
import { checkOutput } from '../model/directory.ts'
import type { Model } from '../model/index.ts'
import { adagrad, adam, adamW, clipByGlobalNorm, type Optimizer, rmsprop, schedules, sgd } from '../optimizers/index.ts'
import {
  type CheckpointOptions,
  DivergedError,
  type OnCollapse,
  type TrainOptions,
  train as trainModel,
} from '../training/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { adapterOf, type EncoderArguments, encoderOf, withBackboneRate } from './encoder.ts'
import { type LossArguments, lossOf } from './loss.ts'
import { interruptible, warn } from './outcome.ts'
import { progress } from './progress.ts'
import { table } from './table.ts'

export interface TrainArguments extends EncoderArguments, DeviceArguments, LossArguments {
  readonly out: string
  readonly force?: boolean
  readonly validation?: string
  readonly holdOutClasses?: number
  readonly classesPerBatch: number
  readonly perClass: number
  readonly steps: number
  readonly accumulate: number
  readonly checkpointEvery: number
  readonly microBatch?: number
  readonly optimizer: keyof typeof optimizers
  readonly learningRate: number
  readonly schedule: keyof typeof schedules
  readonly weightDecay?: number
  readonly clipNorm?: number
  readonly onCollapse: OnCollapse
  readonly seed: number
  readonly json?: boolean
}

const optimizers = {
  sgd: (decay: Decay) => sgd({ momentum: 0.9, ...decay }),
  adam: (decay: Decay) => adam(decay),
  amsgrad: (decay: Decay) => adam({ amsgrad: true, ...decay }),
  adamW: (decay: Decay) => adamW(decay),
  rmsprop: (decay: Decay) => rmsprop(decay),
  adagrad: (decay: Decay) => adagrad(decay),
}
type Decay = { readonly weightDecay?: number }
const HOLD_OUT = 0.2

/**
 * @param checkpoint where training is kept while it goes on.
 * @param begin is done once everything that can be refused has been looked at.
 */
export async function train(
  data: string,
  options: TrainArguments,
  checkpoint: CheckpointOptions,
  begin?: () => Promise<void>,
): Promise<void> {
  // What can be refused without reading an image is refused first.
  const loss = lossOf(options)
  const optimizer = withBackboneRate(optimizerOf(options), options)
  await checkOutput(options.out, options.force)
  const signal = interruptible()
  const { encoder, examples, open } = await openData(data, options, signal)
  const { training, heldOut } = await split(examples, options, open)
  process.stderr.write(
    `training on ${describe(training)}${heldOut ? `; evaluating on ${describe(heldOut)}, which it never sees` : ''}\n`,
  )

  await begin?.()
  const shown = progress(options.steps)
  const model = await trainOrSave(training, options, {
    ...options,
    ...computeOptions(options),
    encoder,
    loss,
    optimizer,
    schedule: schedules[options.schedule](),
    validation: heldOut,
    augmentation: options.augment ? affine() : undefined,
    checkpoint,
    onStep: (record) => shown.step(record),
    warn: (message) => shown.say(message),
    signal,
  }).finally(() => shown.end())
  await model.save(options.out, { force: options.force ?? false })
  await model.release()

  const { training: summary } = model.description
  const { steps, seconds, loss: value, validation = null } = summary
  if (options.json) {
    const settings = settingsOf(options, loss, encoder)
    const result = { model: options.out, settings, steps, seconds, loss: value, validation }
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  if (validation) process.stdout.write(`${table({ untrained: validation.before, trained: validation.after })}\n`)
  process.stdout.write(
    `${steps} steps in ${seconds.toFixed(1)} s, loss ${value.toFixed(4)}. The model is in ${options.out}\n`,
  )
}

/** The data, the encoder that takes it, and how more of the kind is opened. */
async function openData(data: string, options: TrainArguments, signal: AbortSignal) {
  if (isVectorsFile(data)) {
    const examples = await openVectorsFile(data)
    const open = (file: string) => openSource(file, { input: examples.input, warn, signal })
    return { encoder: adapterOf(options, examples.input), examples, open }
  }
  const encoder = await encoderOf(options)
  const input = imagesFor(encoder.input)
  const open = (folder: string): Promise<Source> => openImageFolder(folder, { input, warn, signal })
  return { encoder, examples: await open(data), open }
}

/** A model of the last finite parameters is better than none: it is saved before the error is told. */
async function trainOrSave(
  images: Source,
  { out, force = false }: TrainArguments,
  options: TrainOptions,
): Promise<Model> {
  try {
    return await trainModel(images, options)
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error
    await error.model.save(out, { force })
    await error.model.release()
    throw new RuntimeError(`${error.message} It is in ${out}.`, { cause: error })
  }
}

function imagesFor({ channels, height, width }: Pixels) {
  return { kind: 'image', channels: channels === 1 ? 1 : 3, height, width, resize: 'stretch' } as const
}

function optimizerOf({ optimizer, weightDecay, clipNorm }: TrainArguments): Optimizer {
  const made = optimizers[optimizer](weightDecay === undefined ? {} : { weightDecay })
  return clipNorm === undefined ? made : clipByGlobalNorm(made, clipNorm)
}

async function split(images: Source, options: TrainArguments, open: (folder: string) => Promise<Source>) {
  if (options.validation) return { training: images, heldOut: await open(options.validation) }
  const share = options.holdOutClasses ?? HOLD_OUT
  return share > 0 ? holdOutClasses(images, share, options.seed) : { training: images, heldOut: undefined }
}

function describe({ length, classes, input }: Source): string {
  return `${length} ${input.kind}s of ${classes.length} ${classes.length === 1 ? 'class' : 'classes'}`
}

/** All settings of the run, defaults filled in. */
function settingsOf(
  { json: _, out: __, force: ___, debug: ____, freeze, ...options }: TrainArguments,
  loss: Loss,
  encoder: Encoder,
) {
  const holdOutClasses = options.validation ? undefined : (options.holdOutClasses ?? HOLD_OUT)
  return {
    ...options,
    ...(freeze && { freeze: freeze.map(({ source }) => source) }),
    encoder: options.encoder ?? encoder.name,
    dimension: encoder.dimension,
    ...(takesImages(encoder)
      ? { imageSize: encoder.input.height, grayscale: encoder.input.channels === 1 }
      : { residual: encoder.settings.residual, adapt: options.adapt ?? 'all' }),
    holdOutClasses,
    metric: loss.metric.name,
    ...loss.settings,
    loss: options.loss,
    mining: options.mining,
    augment: !!options.augment,
  }
}
