/** The steps of a training run, one after the other. */
import { setImmediate } from 'node:timers/promises'
import type { Source, Tuples } from '../data/index.ts'
import type { Variables } from '../encoders/encoder.ts'
import { InterruptedError, RuntimeError } from '../errors.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { Batch } from './batch.ts'
import { batchesOf } from './batches.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { collapseMessage, collapseWatch } from './collapse.ts'
import { effectiveRank } from './effective-rank.ts'
import type { StepRecord, TrainOptions } from './options.ts'
import { recoverable } from './recovery.ts'
import { createStep } from './step.ts'

/** Training options of which nothing that the loop needs is left out. */
export type LoopOptions = Omit<TrainOptions, 'device'> &
  ComputeOptions &
  Required<
    Pick<
      TrainOptions,
      | 'loss'
      | 'optimizer'
      | 'schedule'
      | 'classesPerBatch'
      | 'perClass'
      | 'tuplesPerBatch'
      | 'steps'
      | 'accumulate'
      | 'learningRate'
      | 'seed'
      | 'onCollapse'
    >
  >

/** Every so many steps the effective rank is measured: it takes some milliseconds. */
const RANK_EVERY = 100

export interface Run {
  readonly variables: Variables
  readonly history: readonly StepRecord[]
  /** Why training ended before its last step, and of when the variables are. */
  readonly ended?: string
}

/**
 * Trains the variables for as many steps as the options say, or until the loss or its gradient is not finite any more.
 *
 * @throws RuntimeError if training has collapsed and is to stop then; InterruptedError if the signal is aborted.
 */
export async function runSteps(source: Source | Tuples, initial: Variables, options: LoopOptions): Promise<Run> {
  const { signal, steps, onStep, loss, schedule, onCollapse, warn = console.warn } = options
  const examples = batchesOf(source, options)
  const training = await recoverable(options, (each) =>
    createStep({
      ...options,
      loss: each,
      variables: initial,
      kind: examples.kind,
      classes: examples.classes,
      largestClass: examples.largestClass,
    }),
  )
  const watch = collapseWatch(loss.metric.range)
  const history: StepRecord[] = []
  const checkpoint = checkpoints(source, options)
  try {
    const found = await checkpoint?.read()
    if (found) {
      await training.load(found, examples.rows)
      // What the sampler and the watch have seen is what the history says, or follows from the seed.
      for (const record of found.history) {
        for (let i = 0; i < options.accumulate; i++) examples.skip()
        watch.observe(record.spread)
        if (record.event === 'wentBack') watch.wentBack()
        history.push(record)
      }
    }
    for (let i = history.length + 1; i <= steps; i++) {
      const batches: Batch[] = []
      while (batches.length < options.accumulate) batches.push(await examples.next())
      const { loss: value, statistics, sample } = await training.run(batches, schedule.factor(i, steps))
      const trouble = notFinite(value, statistics.gradientNorm, i, options.learningRate)
      if (trouble) {
        const { cause, parameters } = await training.lastGood(Number.isFinite(value))
        const where = cause === undefined ? '' : ` The first to lose it is ${cause}.`
        const ended = `${trouble}${where} The model holds the parameters ${parameters}.`
        return { ended, variables: await training.variables(), history }
      }
      let event: StepRecord['event'] = watch.observe(statistics.spread)
      if (event === 'collapsed') {
        const message = collapseMessage(loss, {
          ...options,
          step: i,
          spread: statistics.spread,
          widest: watch.widest,
        })
        if (onCollapse === 'stop') throw new RuntimeError(message)
        warn(message)
        if (onCollapse === 'recover') {
          warn(await training.goBack())
          watch.wentBack()
          event = 'wentBack'
        }
      } else if (event === 'recovered') {
        warn(`The spread is back at step ${i}: ${statistics.spread.toPrecision(2)}.${await training.resume(i)}`)
      }
      if (watch.healthy()) await training.keep(i)
      const rank = i % RANK_EVERY === 1 || i === steps ? { effectiveRank: effectiveRank(sample) } : {}
      const record = { step: i, loss: value, ...statistics, ...rank, ...(event && { event }) }
      history.push(record)
      onStep?.(record)
      // A step blocks the event loop; a turn of it lets Ctrl-C and timers through.
      await setImmediate()
      const saves = checkpoint && (i % checkpoint.every === 0 || signal?.aborted) && i < steps
      const kept = saves && (await checkpoint.write({ ...(await training.save()), history }))
      if (signal?.aborted && i < steps) {
        const how = kept ? ' It goes on from there when it is resumed.' : ''
        throw new InterruptedError(`Training was stopped after step ${i} of ${steps}.${how}`)
      }
    }
    return { variables: await training.variables(), history }
  } finally {
    await training.release()
  }
}

/** Checkpoints of this training, where they are asked for. */
function checkpoints({ fingerprint }: Source | Tuples, options: LoopOptions) {
  if (!options.checkpoint) return undefined
  const { directory, every = 100, resume = false } = options.checkpoint
  const { loss, optimizer, schedule, encoder, augmentation, warn = console.warn } = options
  const batches = ['classesPerBatch', 'perClass', 'tuplesPerBatch'] as const
  const settings = [...batches, 'steps', 'accumulate', 'learningRate', 'seed', 'onCollapse'] as const
  const identity = {
    data: fingerprint,
    encoder: { name: encoder.name, ...encoder.settings },
    loss: { name: loss.name, ...loss.settings },
    optimizer: { name: optimizer.name, ...optimizer.settings },
    schedule: { name: schedule.name, ...schedule.settings },
    augmentation: augmentation?.name ?? null,
    adapt: options.adapt ?? null,
    microBatch: options.microBatch ?? null,
    threads: options.threads ?? null,
    device: options.device ?? null,
    ...Object.fromEntries(settings.map((name) => [name, options[name]])),
  }
  return {
    every,
    read: async () => (resume ? readCheckpoint(directory, identity, warn) : undefined),
    /** Whether it could be written: training goes on where a disk is full. */
    async write(saved: Omit<Checkpoint, 'identity'>): Promise<boolean> {
      try {
        await writeCheckpoint(directory, { identity, ...saved })
        return true
      } catch (error) {
        warn((error as Error).message)
        return false
      }
    },
  }
}

/** A gradient can be lost where the loss is not: the next step would make every parameter NaN. */
function notFinite(loss: number, gradientNorm: number, step: number, learningRate: number): string | undefined {
  if (!Number.isFinite(loss)) {
    return `The loss became ${loss} at step ${step}. Lower the learning rate, ${learningRate} now.`
  }
  if (!Number.isFinite(gradientNorm)) {
    return `The loss is ${loss} at step ${step}, but its gradient is not finite. Look at the loss with \`isometry check\` or checkLoss.`
  }
  return undefined
}
