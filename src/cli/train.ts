/** `isometry train` */
import type { Named, Source, Tuples } from '../data/index.ts'
import { type Encoder, takesImages } from '../encoders/index.ts'
import { RuntimeError } from '../errors.ts'
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
import { checkHoldOut, type DataArguments, describe, holdOutShare, openParts } from './data.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { type EncoderArguments, withBackboneRate } from './encoder.ts'
import { type LossArguments, lossOf, settingFlags } from './loss.ts'
import { interruptible } from './outcome.ts'
import { prose } from './paragraph.ts'
import { progress } from './progress.ts'
import { table, tupleTable } from './table.ts'

export interface TrainArguments
  extends EncoderArguments,
    DeviceArguments,
    LossArguments,
    BatchArguments,
    DataArguments {
  readonly out: string
  readonly query?: string
  readonly queryFolder?: string
  readonly force?: boolean
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
  readonly accumulate: number
  readonly checkpointEvery: number
  readonly microBatch?: number
  readonly optimizer: keyof typeof optimizers
  readonly learningRate: number
  readonly schedule: keyof typeof schedules
  readonly weightDecay?: number
  readonly clipNorm?: number
  readonly onCollapse: OnCollapse
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

export interface Kept {
  /** Where training is kept while it goes on. */
  readonly checkpoint: CheckpointOptions
  /** The settings as a file has them, once all are known. */
  config(resolved: Readonly<Record<string, unknown>>): string
  /** Is done once everything that can be refused has been looked at. */
  begin(config: string): Promise<void>
}

export async function train(data: Named, options: TrainArguments, kept: Kept): Promise<void> {
  // What can be refused without reading an image is refused first.
  checkHoldOut(options)
  const loss = lossOf(options)
  const optimizer = withBackboneRate(optimizerOf(options), options)
  await checkOutput(options.out, options.force)
  const signal = interruptible()
  const { encoder, training, heldOut, gallery } = await openParts(data, options, signal)
  const also = heldOut ? `; evaluating on ${describe(heldOut)}, which it never sees` : ''
  process.stderr.write(prose(`training on ${describe(training)}${also}\n`, process.stderr))

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
    sampling: 'examples' in training ? undefined : samplingOf(training, options),
    checkpoint: kept.checkpoint,
    signal,
  }
  const model = await showTraining(training, settings, options)
  await model.save(options.out, { force: options.force ?? false, config })
  await model.release()
  // Loaded when it is needed, so that training begins at once.
  const report = options.report
    ? await (await import('./report.ts')).reportOn(options.out, heldOut, gallery, options)
    : undefined

  const { training: summary } = model.description
  if (options.json) {
    const { steps, seconds, loss: value, waiting, best, tuples, validation = null } = summary
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
      tuples,
      report,
    }
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  process.stdout.write(prose(summarize(summary, options.out), process.stdout))
  process.stdout.write(
    report ? `The report is in ${report}\n` : `To look at it: isometry report ${quote(options.out)}\n`,
  )
}

/** Runs training and shows what happens. A model of the last finite parameters is better than none: it is saved. */
async function showTraining(
  source: Source | Tuples,
  settings: TrainOptions,
  { out, force = false, tensorboard }: TrainArguments,
): Promise<Model> {
  const shown = progress()
  const curves = tensorboard === undefined ? undefined : openEventFile(tensorboard, shown.say)
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
  const { steps, seconds, loss, validation, tuples, best, waiting = 0 } = summary
  const shown = validation && table({ untrained: validation.before, trained: validation.after })
  const figures = shown ?? (tuples && tupleTable({ untrained: tuples.before, trained: tuples.after }))
  const place = best && best.step < steps ? 'it is the model, the last is beside it' : 'the last, which is the model'
  const kept = best?.kept ? ` The best was step ${best.step}: ${place}.` : ''
  return (
    `${figures ? `${figures}\n` : ''}${steps} steps in ${seconds.toFixed(1)} s, ${(100 * waiting).toFixed(1)} % of it waiting for data; ` +
    `loss ${loss.toFixed(4)}.${kept} The model is in ${out}\n`
  )
}

function optimizerOf({ optimizer, weightDecay, clipNorm }: TrainArguments): Optimizer {
  const made = optimizers[optimizer](weightDecay === undefined ? {} : { weightDecay })
  return clipNorm === undefined ? made : clipByGlobalNorm(made, clipNorm)
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
    threads: options.threads ?? defaultThreads(),
    holdOutClasses: holdOutShare(options),
    ...(options.epochs !== undefined && { steps: undefined }),
  }
}
