/** From labelled examples to a model. */
import { itemsOf, type Source, type Tuples } from '../data/index.ts'
import { resolveDevice } from '../device.ts'
import type { Variables } from '../encoders/encoder.ts'
import { cosineMarginTriplet } from '../losses/cosine-margin-triplet.ts'
import { FORMAT_VERSION, type Items } from '../model/description.ts'
import { exportEncoder } from '../model/export.ts'
import { exportMetric } from '../model/metric.ts'
import { createModel, type Model } from '../model/model.ts'
import { evaluateExamples, openSides } from '../model/sides.ts'
import { adam } from '../optimizers/adam.ts'
import { constant } from '../optimizers/schedules.ts'
import { defaultThreads } from '../runtime/node.ts'
import { measureOf } from './best.ts'
import { check } from './check.ts'
import { DivergedError } from './diverged.ts'
import type { TrainingEvent } from './events.ts'
import { runSteps } from './loop.ts'
import type { StepRecord, TrainOptions } from './options.ts'

/**
 * Trains an encoder on labelled examples, or on tuples. The model keeps a record of each step as its history.
 *
 * @throws UsageError if the encoder takes examples of another form, the loss is not defined for such examples, a metric of
 *   one's own cannot be kept, or a setting is out of range.
 * @throws DataError if fewer than two classes have two examples, or an image cannot be read any more.
 * @throws DivergedError, which holds the model of the last finite parameters, if the loss or its gradient is no longer finite;
 *   RuntimeError if training collapses and `onCollapse` is `stop`.
 * @throws InterruptedError if `signal` is aborted.
 */
export async function train(source: Source | Tuples, options: TrainOptions): Promise<Model> {
  const events = training(source, options)
  for (;;) {
    const { done, value } = await events.next()
    if (done) return value
  }
}

/**
 * Training as what happens in it, event by event; it goes on when the next is asked for, and ends with the model. Leaving the
 * loop over it ends training.
 *
 * @throws as `train`.
 */
export async function* training(
  source: Source | Tuples,
  options: TrainOptions,
): AsyncGenerator<TrainingEvent, Model, undefined> {
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
    keep: options.keep ?? (options.evaluateEvery === undefined ? ('last' as const) : ('best' as const)),
    threads: options.threads ?? defaultThreads(),
    device: await resolveDevice(options.device ?? 'cpu'),
  }
  const { encoder, loss, validation, threads, device, signal } = settings
  const adapt = settings.adapt === 'queries' ? settings.adapt : undefined
  const compute = { threads, device, onFallback: options.onFallback }
  check(source, settings)
  const ownMetric = await exportMetric(loss.metric, encoder.dimension)

  const started = performance.now()
  const initial = encoder.variables(settings.seed)
  const before = await evaluateVariables(initial)
  if (before) measureOf(before, settings.measure)
  const evaluate = validation && (async (variables: Variables) => (await evaluateVariables(variables))!)
  const run = yield* runSteps(source, initial, { ...settings, evaluate })
  const { best, history, ended } = run
  const isBest = best !== undefined && settings.keep === 'best'
  const exported = await exportOf(isBest ? best.variables : run.variables)
  const after = validation && (await evaluateBytes(exported, validation))

  const description = {
    formatVersion: FORMAT_VERSION,
    metric: loss.metric.name,
    dimension: encoder.dimension,
    input: source.input,
    encoder: { name: encoder.name, ...encoder.settings },
    ...(adapt && { adapt }),
    loss: { name: loss.name, ...loss.settings },
    heldOut: heldOut(source, validation, settings.validationGallery),
    training: {
      steps: history.length,
      seconds: (performance.now() - started) / 1000,
      waiting: run.waiting,
      loss: meanOfLast(history),
      ...(best && { best: { step: best.step, value: best.value, kept: isBest } }),
      settings: summarize(source, settings),
      fingerprint: source.fingerprint,
      ...(before && after && { ['tuples' in before ? 'tuples' : 'validation']: { before, after } }),
    },
  }
  const files = {
    encoder: exported,
    metric: ownMetric,
    ...(isBest && best.step < history.length && { last: await exportOf(run.variables) }),
    description,
    history: history.map((record) => `${JSON.stringify(record)}\n`).join(''),
  }
  const model = await createModel(files, settings)
  if (ended !== undefined) throw new DivergedError(ended, model)
  return model

  function exportOf(variables: Variables) {
    return exportEncoder(encoder, variables, loss.metric)
  }

  async function evaluateVariables(variables: Variables) {
    return validation && evaluateBytes(await exportOf(variables), validation)
  }

  async function evaluateBytes(bytes: Uint8Array, held: Source | Tuples) {
    const { dimension } = encoder
    const { metric } = loss
    const sides = await openSides(bytes, { dimension, metric, input: source.input, adapt }, { ...compute, signal })
    try {
      return await evaluateExamples(sides, held, metric, {
        gallery: settings.validationGallery,
        only: 'retrieval',
        ...compute,
      })
    } finally {
      await sides.release()
    }
  }
}

/** The settings of a training as a model describes them. */
function summarize(source: Source | Tuples, settings: Parameters<typeof runSteps>[2]) {
  const { optimizer, schedule, augmentation } = settings
  return {
    optimizer: { name: optimizer.name, ...optimizer.settings },
    learningRate: settings.learningRate,
    schedule: { name: schedule.name, ...schedule.settings },
    onCollapse: settings.onCollapse,
    ...('examples' in source
      ? { tuplesPerBatch: settings.tuplesPerBatch }
      : { classesPerBatch: settings.classesPerBatch, perClass: settings.perClass, ...settings.sampling }),
    accumulate: settings.accumulate,
    microBatch: settings.microBatch ?? null,
    augmentation: augmentation ? { name: augmentation.name, ...augmentation.settings } : null,
    seed: settings.seed,
    threads: settings.threads,
    device: settings.device,
  }
}

/** What training never sees: of tuples, the items that none of those trained on has. */
function heldOut(source: Source | Tuples, validation: Source | Tuples | undefined, gallery: Source | undefined) {
  if (!validation) return { classes: [], items: [] }
  if (!('examples' in validation)) {
    // Of files alone, which can be opened again.
    return { ...describeItems(validation), ...(gallery?.input.kind === 'image' && { gallery: describeItems(gallery) }) }
  }
  const seen = 'examples' in source ? itemsIn(source) : new Set(itemsOf(source))
  return { classes: [], items: [...itemsIn(validation)].filter((item) => !seen.has(item)) }
}

function describeItems(source: Source): Items {
  const { classes, labels, boxes, groups, groupNames = [], gallery } = source
  return {
    classes,
    items: itemsOf(source),
    labels: Array.from(labels),
    ...(boxes && { boxes: boxes.map((box) => (box ? [box.x, box.y, box.width, box.height] : null)) }),
    ...(groups && { groups: Array.from(groups, (group) => groupNames[group] ?? null) }),
    ...(gallery && { roles: Array.from(gallery) }),
  }
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
