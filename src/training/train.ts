/** From labelled images to a model. */
import type { Images } from '../data/index.ts'
import { resolveDevice } from '../device.ts'
import { type NamedTensors, type Pixels, takesImages } from '../encoders/encoder.ts'
import { UsageError } from '../errors.ts'
import { type Evaluation, evaluate } from '../evaluation/index.ts'
import { cosineMarginTriplet } from '../losses/cosine-margin-triplet.ts'
import { FORMAT_VERSION } from '../model/description.ts'
import { openEmbedder } from '../model/embedder.ts'
import { exportEncoder } from '../model/export.ts'
import { createModel, type Model } from '../model/model.ts'
import { adam } from '../optimizers/adam.ts'
import { constant } from '../optimizers/schedules.ts'
import { defaultThreads } from '../runtime/node.ts'
import { DivergedError } from './diverged.ts'
import { runSteps } from './loop.ts'
import type { StepRecord, TrainOptions } from './options.ts'

/**
 * Trains an encoder on labelled images. The model keeps a record of each step as its history.
 *
 * @throws UsageError if the encoder is made for images of another size, or a setting is out of range.
 * @throws DataError if fewer than two classes have two images.
 * @throws DivergedError, which holds the model of the last finite parameters, if the loss or its gradient is no longer finite;
 *   RuntimeError if training collapses and `onCollapse` is `stop`.
 * @throws InterruptedError if `signal` is aborted.
 */
export async function train(images: Images, options: TrainOptions): Promise<Model> {
  const settings = {
    loss: cosineMarginTriplet(),
    optimizer: adam(),
    classesPerBatch: 32,
    perClass: 4,
    steps: 1000,
    accumulate: 1,
    learningRate: 0.003,
    schedule: constant(),
    onCollapse: 'warn' as const,
    seed: 0,
    ...options,
    threads: options.threads ?? defaultThreads,
    device: await resolveDevice(options.device ?? 'cpu'),
  }
  const { encoder, loss, validation, threads, device, signal } = settings
  const compute = { threads, device, onFallback: options.onFallback }
  check(images, settings)

  const started = performance.now()
  const initial = encoder.variables(settings.seed)
  const before = validation && (await evaluateEncoder(await exportEncoder(encoder, initial, loss.metric), validation))
  const { variables, history, ended } = await runSteps(images, initial, settings)
  const exported = await exportEncoder(encoder, variables, loss.metric)
  const after = validation && (await evaluateEncoder(exported, validation))

  const description = {
    formatVersion: FORMAT_VERSION,
    metric: loss.metric.name,
    dimension: encoder.dimension,
    input: images.input,
    encoder: { name: encoder.name, ...encoder.settings },
    loss: { name: loss.name, ...loss.settings },
    heldOut: { classes: validation?.classes ?? [], items: validation?.items ?? [] },
    training: {
      steps: history.length,
      seconds: (performance.now() - started) / 1000,
      loss: meanOfLast(history),
      settings: {
        optimizer: { name: settings.optimizer.name, ...settings.optimizer.settings },
        learningRate: settings.learningRate,
        schedule: { name: settings.schedule.name, ...settings.schedule.settings },
        onCollapse: settings.onCollapse,
        classesPerBatch: settings.classesPerBatch,
        perClass: settings.perClass,
        accumulate: settings.accumulate,
        microBatch: settings.microBatch ?? null,
        augmentation: settings.augmentation?.name ?? null,
        seed: settings.seed,
        threads,
        device,
      },
      fingerprint: images.fingerprint,
      ...(before && after && { validation: { before, after } }),
    },
  }
  const lines = history.map((record) => `${JSON.stringify(record)}\n`).join('')
  const model = await createModel({ encoder: exported, description, history: lines }, settings)
  if (ended !== undefined) throw new DivergedError(ended, model)
  return model

  async function evaluateEncoder(bytes: Uint8Array, held: Images): Promise<Evaluation> {
    const embedder = await openEmbedder(bytes, encoder.dimension, { ...compute, signal })
    try {
      return await evaluate(await embedder.embedLabelled(held), loss.metric, compute)
    } finally {
      await embedder.release()
    }
  }
}

function check({ input }: Images, options: TrainOptions): void {
  const { encoder, loss, augmentation, steps, learningRate, accumulate, microBatch } = options
  if (loss?.views && !augmentation) {
    throw new UsageError(
      `The loss ${loss.name} compares ${loss.views} views of each image, which are the same without an augmentation. Give one, as affine().`,
    )
  }
  const size = ({ channels, height, width }: Pixels) => `${channels} × ${height} × ${width}`
  if (!takesImages(encoder)) {
    const names = (encoder.input as NamedTensors).tensors.map(({ name }) => name).join(', ')
    throw new UsageError(
      `The encoder takes ${names}, not images. Images need an encoder of [n, 1 or 3, height, width].`,
    )
  }
  if (size(encoder.input) !== size(input)) {
    throw new UsageError(
      `The encoder takes images of ${size(encoder.input)}, the images have ${size(input)}. Make the encoder with \`input: images.input\`.`,
    )
  }
  for (const [name, value] of Object.entries({ steps, accumulate, microBatch })) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue
    throw new UsageError(`${name} is ${value}; expected a whole number of at least 1.`)
  }
  if (!(learningRate! > 0) || !Number.isFinite(learningRate)) {
    throw new UsageError(`A learning rate must be above 0, found ${learningRate}.`)
  }
}

/** The mean loss of the last tenth of the steps. */
function meanOfLast(history: readonly StepRecord[]): number {
  const last = history.slice(-Math.ceil(history.length / 10))
  return last.reduce((sum, { loss }) => sum + loss, 0) / last.length
}
