/** `isometry train` */
import {
  holdOutClasses,
  holdOutExamples,
  isVectorsFile,
  openImageFolder,
  openSource,
  openVectorsFile,
  type Source,
} from '../data/index.ts'
import { type Encoder, type Pixels, takesImages } from '../encoders/index.ts'
import { RuntimeError, UsageError } from '../errors.ts'
import { lossesByName } from '../losses/by-name.ts'
import type { Loss } from '../losses/index.ts'
import type { TrainingSummary } from '../model/description.ts'
import { checkOutput } from '../model/directory.ts'
import type { Model } from '../model/index.ts'
import { adagrad, adam, adamW, clipByGlobalNorm, type Optimizer, rmsprop, schedules, sgd } from '../optimizers/index.ts'
import { quote } from '../report/command.ts'
import { openEventFile } from '../report/tensorboard/writer.ts'
import { defaultThreads } from '../runtime/node.ts'
import {
  type CheckpointOptions,
  DivergedError,
  type OnCollapse,
  type TrainOptions,
  training,
} from '../training/index.ts'
import { augmentationOf, type BatchArguments, samplingOf } from './batches.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { adapterOf, type EncoderArguments, encoderOf, withBackboneRate } from './encoder.ts'
import { type LossArguments, lossOf, settingFlags } from './loss.ts'
import { interruptible, warn } from './outcome.ts'
import { progress } from './progress.ts'
import { reported, reportOn } from './report.ts'
import { table } from './table.ts'

export interface TrainArguments extends EncoderArguments, DeviceArguments, LossArguments, BatchArguments {
  readonly out: string
  readonly force?: boolean
  readonly validation?: string
  readonly holdOutClasses?: number
  readonly holdOutExamples?: number
  readonly classesPerBatch: number
  readonly perClass: number
  readonly steps: number
  readonly epochs?: number
  readonly evaluateEvery?: number
  readonly measure?: string
  readonly patience?: number
  readonly keep?: 'best' | 'last'
  readonly tensorboard?: string
  readonly report?: boolean
  readonly imageMemory: number
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

export interface Kept {
  /** Where training is kept while it goes on. */
  readonly checkpoint: CheckpointOptions
  /** The settings as a file has them, once all are known. */
  config(resolved: Readonly<Record<string, unknown>>): string
  /** Is done once everything that can be refused has been looked at. */
  begin(config: string): Promise<void>
}

export async function train(data: string, options: TrainArguments, kept: Kept): Promise<void> {
  // What can be refused without reading an image is refused first.
  checkHoldOut(options)
  const loss = lossOf(options)
  const optimizer = withBackboneRate(optimizerOf(options), options)
  await checkOutput(options.out, options.force)
  const signal = interruptible()
  const { encoder, examples, open } = await openData(data, options, signal)
  const { training, heldOut, gallery } = await split(examples, options, open)
  process.stderr.write(
    `training on ${describe(training)}${heldOut ? `; evaluating on ${describe(heldOut)}, which it never sees` : ''}\n`,
  )

  const config = kept.config(resolvedSettings(options, loss, encoder))
  await kept.begin(config)
  const settings: TrainOptions = {
    ...options,
    ...computeOptions(options),
    encoder,
    loss,
    optimizer,
    schedule: schedules[options.schedule](),
    validation: heldOut,
    validationGallery: gallery,
    augmentation: augmentationOf(options),
    sampling: samplingOf(training, options),
    checkpoint: kept.checkpoint,
    signal,
  }
  const model = await showTraining(training, settings, options)
  await model.save(options.out, { force: options.force ?? false, config })
  await model.release()
  const report = options.report ? await reportOn(options.out, heldOut, options) : undefined

  const { training: summary } = model.description
  if (options.json) {
    const { steps, seconds, loss: value, waiting, best, validation = null } = summary
    const used = settingsOf(options, loss, encoder)
    const result = {
      model: options.out,
      settings: used,
      steps,
      seconds,
      waiting,
      best,
      loss: value,
      validation,
      report,
    }
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  process.stdout.write(summarize(summary, options.out))
  process.stdout.write(report ? reported(report) : `To look at it: isometry report ${quote(options.out)}\n`)
}

/** Runs training and shows what happens. A model of the last finite parameters is better than none: it is saved. */
async function showTraining(
  source: Source,
  settings: TrainOptions,
  { out, force = false, tensorboard }: TrainArguments,
): Promise<Model> {
  const shown = progress()
  const curves = tensorboard === undefined ? undefined : openEventFile(tensorboard)
  const events = training(source, { ...settings, warn: (message) => shown.say(message) })
  try {
    for (;;) {
      const { done, value } = await events.next()
      if (done) return value
      shown.show(value)
      curves?.write(value)
    }
  } catch (error) {
    shown.end()
    if (!(error instanceof DivergedError)) throw error
    await error.model.save(out, { force })
    await error.model.release()
    throw new RuntimeError(`${error.message} It is in ${out}.`, { cause: error })
  } finally {
    shown.end()
    curves?.close()
  }
}

function summarize(summary: TrainingSummary, out: string): string {
  const { steps, seconds, loss, validation, best, waiting = 0 } = summary
  const figures = validation && `${table({ untrained: validation.before, trained: validation.after })}\n`
  const kept = best?.kept ? ` The best was step ${best.step}: it is the model, the last is beside it.` : ''
  return (
    `${figures ?? ''}${steps} steps in ${seconds.toFixed(1)} s, ${(100 * waiting).toFixed(1)} % of it waiting for data; ` +
    `loss ${loss.toFixed(4)}.${kept} The model is in ${out}\n`
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
  const open = (folder: string): Promise<Source> =>
    openImageFolder(folder, { input, memory: options.imageMemory * 2 ** 20, warn, signal })
  return { encoder, examples: await open(data), open }
}

function imagesFor({ channels, height, width }: Pixels) {
  return { kind: 'image', channels: channels === 1 ? 1 : 3, height, width, resize: 'stretch' } as const
}

function optimizerOf({ optimizer, weightDecay, clipNorm }: TrainArguments): Optimizer {
  const made = optimizers[optimizer](weightDecay === undefined ? {} : { weightDecay })
  return clipNorm === undefined ? made : clipByGlobalNorm(made, clipNorm)
}

interface Split {
  readonly training: Source
  readonly heldOut?: Source | undefined
  /** What the held-out examples are compared with, if not with each other. */
  readonly gallery?: Source | undefined
}

async function split(
  images: Source,
  options: TrainArguments,
  open: (folder: string) => Promise<Source>,
): Promise<Split> {
  const { validation, holdOutExamples: examples, seed } = options
  if (validation) return { training: images, heldOut: await open(validation) }
  if (examples) {
    const parts = holdOutExamples(images, examples, seed)
    return { ...parts, gallery: parts.training }
  }
  const share = holdOutShare(options)!
  return share > 0 ? holdOutClasses(images, share, seed) : { training: images }
}

/** The share of the classes that is held out; undefined where something else is. */
function holdOutShare({ validation, holdOutClasses: share, holdOutExamples: examples }: Partial<TrainArguments>) {
  return validation === undefined && examples === undefined ? (share ?? HOLD_OUT) : undefined
}

/** @throws UsageError if ways of holding out are mixed. */
function checkHoldOut(options: TrainArguments): void {
  const ways = (['validation', 'holdOutClasses', 'holdOutExamples'] as const).filter(
    (way) => options[way] !== undefined,
  )
  if (ways.length < 2) return
  const [one, other] = ways.map((way) => `--${way.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
  throw new UsageError(`${one} cannot be used with ${other}: both say what is held out. Leave one of them out.`)
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
  return {
    ...options,
    ...(freeze && { freeze: freeze.map(({ source }) => source) }),
    encoder: options.encoder ?? encoder.name,
    dimension: encoder.dimension,
    ...(takesImages(encoder)
      ? { imageSize: encoder.input.height, grayscale: encoder.input.channels === 1 }
      : { residual: encoder.settings.residual, adapt: options.adapt ?? 'all' }),
    holdOutClasses: holdOutShare(options),
    metric: loss.metric.name,
    ...loss.settings,
    loss: options.loss,
    mining: options.mining,
    augment: !!options.augment,
  }
}

/** What the command line left to its defaults, as settings by which the same can be run again. */
function resolvedSettings(options: TrainArguments, loss: Loss, encoder: Encoder): Record<string, unknown> {
  const own = lossesByName.get(options.loss)!.settings
  const isFile = /\.onnx$/i.test(options.encoder ?? '')
  const settings = Object.entries(loss.settings ?? {}).filter(([name]) => name in own)
  const flags = Object.fromEntries([...settingFlags().keys()].map((name) => [name, undefined]))
  return {
    ...flags,
    encoder: options.encoder ?? encoder.name,
    ...(isFile ? {} : { dimension: encoder.dimension }),
    ...(takesImages(encoder) && !isFile ? { imageSize: encoder.input.height } : {}),
    metric: loss.metric.name,
    lossSettings: Object.fromEntries(settings),
    threads: options.threads ?? defaultThreads,
    holdOutClasses: holdOutShare(options),
    ...(options.epochs !== undefined && { steps: undefined }),
  }
}
