/** From labelled examples to a model. */
import { itemsOf, type Source, type Tuples } from '../data/index.ts'
import { resolveDevice } from '../device.ts'
import { cosineMarginTriplet } from '../losses/cosine-margin-triplet.ts'
import { FORMAT_VERSION } from '../model/description.ts'
import { exportEncoder } from '../model/export.ts'
import { exportMetric } from '../model/metric.ts'
import { createModel, type Model } from '../model/model.ts'
import { evaluateExamples, openSides } from '../model/sides.ts'
import { adam } from '../optimizers/adam.ts'
import { constant } from '../optimizers/schedules.ts'
import { defaultThreads } from '../runtime/node.ts'
import { check } from './check.ts'
import { DivergedError } from './diverged.ts'
import { runSteps } from './loop.ts'
import type { StepRecord, TrainOptions } from './options.ts'

/**
 * Trains an encoder on labelled examples, or on tuples. The model keeps a record of each step as its history.
 *
 * @throws UsageError if the encoder takes examples of another form, the loss is not defined for such examples, a metric of
 *   one's own cannot be kept, or a setting is out of range.
 * @throws DataError if fewer than two classes have two examples.
 * @throws DivergedError, which holds the model of the last finite parameters, if the loss or its gradient is no longer finite;
 *   RuntimeError if training collapses and `onCollapse` is `stop`.
 * @throws InterruptedError if `signal` is aborted.
 */
export async function train(source: Source | Tuples, options: TrainOptions): Promise<Model> {
  const settings = {
    loss: cosineMarginTriplet(),
    optimizer: adam(),
    classesPerBatch: 32,
    perClass: 4,
    tuplesPerBatch: 64,
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
  const adapt = settings.adapt === 'queries' ? settings.adapt : undefined
  const compute = { threads, device, onFallback: options.onFallback }
  check(source, settings)
  const ownMetric = await exportMetric(loss.metric, encoder.dimension)

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
    ...(adapt && { adapt }),
    loss: { name: loss.name, ...loss.settings },
    heldOut: heldOut(source, validation),
    training: {
      steps: history.length,
      seconds: (performance.now() - started) / 1000,
      loss: meanOfLast(history),
      settings: {
        optimizer: { name: settings.optimizer.name, ...settings.optimizer.settings },
        learningRate: settings.learningRate,
        schedule: { name: settings.schedule.name, ...settings.schedule.settings },
        onCollapse: settings.onCollapse,
        ...('examples' in source
          ? { tuplesPerBatch: settings.tuplesPerBatch }
          : { classesPerBatch: settings.classesPerBatch, perClass: settings.perClass }),
        accumulate: settings.accumulate,
        microBatch: settings.microBatch ?? null,
        augmentation: settings.augmentation?.name ?? null,
        seed: settings.seed,
        threads,
        device,
      },
      fingerprint: source.fingerprint,
      ...(before && after && { ['tuples' in before ? 'tuples' : 'validation']: { before, after } }),
    },
  }
  const lines = history.map((record) => `${JSON.stringify(record)}\n`).join('')
  const model = await createModel({ encoder: exported, metric: ownMetric, description, history: lines }, settings)
  if (ended !== undefined) throw new DivergedError(ended, model)
  return model

  async function evaluateEncoder(bytes: Uint8Array, held: Source | Tuples) {
    const { dimension } = encoder
    const { metric } = loss
    const sides = await openSides(bytes, { dimension, metric, input: source.input, adapt }, { ...compute, signal })
    try {
      return await evaluateExamples(sides, held, metric, compute)
    } finally {
      await sides.release()
    }
  }
}

/** What training never sees: of tuples, the items that none of those trained on has. */
function heldOut(source: Source | Tuples, validation: Source | Tuples | undefined) {
  if (!validation) return { classes: [], items: [] }
  if (!('examples' in validation)) return { classes: validation.classes, items: itemsOf(validation) }
  const seen = 'examples' in source ? itemsIn(source) : new Set(itemsOf(source))
  return { classes: [], items: [...itemsIn(validation)].filter((item) => !seen.has(item)) }
}

function itemsIn({ examples, members }: Tuples): Set<string> {
  const rows = new Set(Object.values(members).flatMap((each) => Array.from(each)))
  return new Set(Array.from(rows, (row) => examples.item(row)))
}

/** The mean loss of the last tenth of the steps. */
function meanOfLast(history: readonly StepRecord[]): number {
  const last = history.slice(-Math.ceil(history.length / 10))
  return last.reduce((sum, { loss }) => sum + loss, 0) / last.length
}
