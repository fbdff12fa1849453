/** From labelled examples to a model. */
import { itemsOf, type Source } from '../data/index.ts'
import { resolveDevice } from '../device.ts'
import type { Encoder } from '../encoders/encoder.ts'
import { UsageError } from '../errors.ts'
import { type Evaluation, evaluate } from '../evaluation/index.ts'
import { describeInput, type Input } from '../inputs/index.ts'
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
 * Trains an encoder on labelled examples. The model keeps a record of each step as its history.
 *
 * @throws UsageError if the encoder takes examples of another form, or a setting is out of range.
 * @throws DataError if fewer than two classes have two examples.
 * @throws DivergedError, which holds the model of the last finite parameters, if the loss or its gradient is no longer finite;
 *   RuntimeError if training collapses and `onCollapse` is `stop`.
 * @throws InterruptedError if `signal` is aborted.
 */
export async function train(source: Source, options: TrainOptions): Promise<Model> {
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
  check(source, settings)

  const started = performance.now()
  const initial = encoder.variables(settings.seed)
  const before = validation && (await evaluateEncoder(await exportEncoder(encoder, initial, loss.metric), validation))
  const { variables, history, ended } = await runSteps(source, initial, settings)
  const exported = await exportEncoder(encoder, variables, loss.metric)
  const after = validation && (await evaluateEncoder(exported, validation))

  const description = {
    formatVersion: FORMAT_VERSION,
    metric: loss.metric.name,
    dimension: encoder.dimension,
    input: source.input,
    encoder: { name: encoder.name, ...encoder.settings },
    loss: { name: loss.name, ...loss.settings },
    heldOut: { classes: validation?.classes ?? [], items: validation ? itemsOf(validation) : [] },
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
      fingerprint: source.fingerprint,
      ...(before && after && { validation: { before, after } }),
    },
  }
  const lines = history.map((record) => `${JSON.stringify(record)}\n`).join('')
  const model = await createModel({ encoder: exported, description, history: lines }, settings)
  if (ended !== undefined) throw new DivergedError(ended, model)
  return model

  async function evaluateEncoder(bytes: Uint8Array, held: Source): Promise<Evaluation> {
    const embedder = await openEmbedder(bytes, encoder.dimension, { ...compute, signal })
    try {
      return await evaluate(await embedder.embedLabelled(held), loss.metric, compute)
    } finally {
      await embedder.release()
    }
  }
}

function check({ input }: Source, options: TrainOptions): void {
  const { encoder, loss, augmentation, steps, learningRate, accumulate, microBatch } = options
  if (loss?.views && !augmentation) {
    throw new UsageError(
      `The loss ${loss.name} compares ${loss.views} views of each image, which are the same without an augmentation. Give one, as affine().`,
    )
  }
  if (augmentation && input.kind !== 'image') {
    throw new UsageError(`The augmentation ${augmentation.name} changes images, found ${describeInput(input)}.`)
  }
  if (!takes(encoder, input)) {
    throw new UsageError(
      `The encoder takes ${described(encoder)}, the data has ${describeInput(input)}. Make the encoder with the data's \`input\`.`,
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

function takes({ input }: Encoder, form: Input): boolean {
  if (!('tensors' in input)) {
    return (
      form.kind === 'image' && (['channels', 'height', 'width'] as const).every((name) => input[name] === form[name])
    )
  }
  const [only] = input.tensors
  const [, dimension] = only!.shape
  const isVector = input.tensors.length === 1 && only!.dtype === 'float32' && only!.shape.length === 2
  return isVector && form.kind === 'vector' && (typeof dimension === 'string' || dimension === form.dimension)
}

function described({ input }: Encoder): string {
  if (!('tensors' in input)) return describeInput({ kind: 'image', ...input })
  return input.tensors.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(', ')}]`).join(' and ')
}

/** The mean loss of the last tenth of the steps. */
function meanOfLast(history: readonly StepRecord[]): number {
  const last = history.slice(-Math.ceil(history.length / 10))
  return last.reduce((sum, { loss }) => sum + loss, 0) / last.length
}
