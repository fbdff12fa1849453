/** The steps of a training run, one after the other. */
import { setImmediate } from 'node:timers/promises'
import type { Source, Tuples } from '../data/index.ts'
import type { Variables } from '../encoders/encoder.ts'
import { InterruptedError, RuntimeError } from '../errors.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { Batch } from './batch.ts'
import { type Batches, batchesOf } from './batches.ts'
import { type AnyEvaluation, bestOf } from './best.ts'
import { checkpointsOf } from './checkpoints.ts'
import { type CollapseWatch, collapseMessage, collapseWatch } from './collapse.ts'
import { effectiveRank } from './effective-rank.ts'
import type { TrainingEvent } from './events.ts'
import type { StepRecord, TrainOptions } from './options.ts'
import { type ReadAhead, readAhead } from './read-ahead.ts'
import { type Recoverable, recoverable } from './recovery.ts'
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
  > & {
    /** Evaluates the validation data with these variables. */
    readonly evaluate?: ((variables: Variables) => Promise<AnyEvaluation>) | undefined
  }

/** Every so many steps the effective rank is measured: it takes some milliseconds. */
const RANK_EVERY = 100

export interface Run {
  /** Those of the last step. */
  readonly variables: Variables
  /** Those of the best evaluation, where there was one. */
  readonly best?: { readonly step: number; readonly value: number; readonly variables: Variables } | undefined
  readonly history: readonly StepRecord[]
  /** The share of the time that steps waited for data. */
  readonly waiting: number
  /** Why training ended before its last step, and of when the variables are. */
  readonly ended?: string
}

/**
 * Trains the variables for as many steps as the options say, until patience ends, or until the loss or its gradient is not
 * finite any more.
 *
 * @throws RuntimeError if training has collapsed and is to stop then; InterruptedError if the signal is aborted.
 */
export async function* runSteps(
  source: Source | Tuples,
  initial: Variables,
  options: LoopOptions,
): AsyncGenerator<TrainingEvent, Run> {
  const { signal, loss, schedule, accumulate, evaluateEvery, evaluate } = options
  const examples = batchesOf(source, options)
  const steps = stepsOf(source, examples, options)
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
  const best = bestOf(options.measure, options.patience)
  let bestVariables: Variables | undefined
  const history: StepRecord[] = []
  const checkpoints = checkpointsOf(source, options)
  const batches = readAhead(async () => {
    const read: Batch[] = []
    while (read.length < accumulate) read.push(await examples.next())
    return read
  })
  const started = performance.now()
  const finish = async (ended?: string): Promise<Run> => ({
    variables: await training.variables(),
    best: bestVariables && { step: best.step!, value: best.value!, variables: bestVariables },
    history,
    waiting: batches.waited / (performance.now() - started),
    ...(ended !== undefined && { ended }),
  })
  try {
    const found = await checkpoints?.read()
    if (found) {
      await training.load(found, examples.rows)
      bestVariables = found.best
      for (const record of found.history) {
        goOver(record, { examples, watch, accumulate })
        if (record.evaluation) best.observe(record.step, record.evaluation)
        history.push(record)
      }
    }
    yield { kind: 'begin', steps, done: history.length }
    for (let i = history.length + 1; i <= steps && !best.isOver; i++) {
      const now = await readBatches(batches, async () => checkpoints?.write(training, history, bestVariables))
      if (i < steps) batches.begin()
      const { loss: value, statistics, sample } = await training.run(now, schedule.factor(i, steps))
      const trouble = notFinite(value, statistics.gradientNorm, i, options.learningRate)
      if (trouble) {
        const { cause, parameters } = await training.lastGood(Number.isFinite(value))
        const where = cause === undefined ? '' : ` The first to lose it is ${cause}.`
        return finish(`${trouble}${where} The model holds the parameters ${parameters}.`)
      }
      const event = await lookAfter(i, statistics.spread, { training, watch, options })
      if (watch.healthy()) await training.keep(i)
      const rank = i % RANK_EVERY === 1 || i === steps ? { effectiveRank: effectiveRank(sample) } : {}
      // A step blocks the event loop; a turn of it lets Ctrl-C, timers and decoded images through.
      await setImmediate()
      const evaluation =
        evaluate && evaluateEvery && i % evaluateEvery === 0 ? await evaluate(await training.variables()) : undefined
      const record = {
        step: i,
        loss: value,
        ...statistics,
        ...rank,
        ...(evaluation && { evaluation }),
        ...(event && { event }),
      }
      history.push(record)
      options.onStep?.(record)
      yield { kind: 'step', record }
      if (evaluation) {
        const isBest = best.observe(i, evaluation)
        if (isBest) bestVariables = copyOf(await training.variables())
        yield { kind: 'evaluation', step: i, evaluation, isBest }
      }
      const isLast = i === steps || best.isOver
      if (checkpoints && !isLast && (i % checkpoints.every === 0 || signal?.aborted)) {
        const kept = await checkpoints.write(training, history, bestVariables)
        if (kept) yield { kind: 'checkpoint', step: i }
        if (signal?.aborted && kept) throw interrupted(i, steps, ' It goes on from there when it is resumed.')
      }
      if (signal?.aborted && !isLast) throw interrupted(i, steps, '')
    }
    return await finish()
  } finally {
    await training.release()
  }
}

/** Steps as they are asked for, or by how often all examples come up. */
export function stepsOf(
  source: Source | Tuples,
  { drawn }: Pick<Batches, 'drawn'>,
  { epochs, steps, accumulate }: Pick<LoopOptions, 'epochs' | 'steps' | 'accumulate'>,
): number {
  if (epochs === undefined) return steps
  return Math.max(1, Math.ceil((epochs * source.length) / (drawn * accumulate)))
}

/** What the sampler and the watch have seen is what the history says, or follows from the seed. */
function goOver(
  { spread, event }: StepRecord,
  { examples, watch, accumulate }: { examples: Batches; watch: CollapseWatch; accumulate: number },
): void {
  for (let i = 0; i < accumulate; i++) examples.skip()
  watch.observe(spread)
  if (event === 'wentBack') watch.wentBack()
}

/** An image may be gone by the time it is read: what was learnt until then is kept. */
async function readBatches(batches: ReadAhead<Batch[]>, keep: () => Promise<unknown>): Promise<Batch[]> {
  try {
    return await batches.take()
  } catch (error) {
    await keep()
    throw error
  }
}

/** Says when training collapses or recovers, and does what was asked for then. */
async function lookAfter(
  step: number,
  spread: number,
  { training, watch, options }: { training: Recoverable; watch: CollapseWatch; options: LoopOptions },
): Promise<StepRecord['event']> {
  const { loss, onCollapse, warn = console.warn } = options
  const event = watch.observe(spread)
  if (event === 'recovered') {
    warn(`The spread is back at step ${step}: ${spread.toPrecision(2)}.${await training.resume(step)}`)
  }
  if (event !== 'collapsed') return event
  const message = collapseMessage(loss, { ...options, step, spread, widest: watch.widest })
  if (onCollapse === 'stop') throw new RuntimeError(message)
  warn(message)
  if (onCollapse !== 'recover') return event
  warn(await training.goBack())
  watch.wentBack()
  return 'wentBack'
}

function interrupted(step: number, steps: number, how: string): InterruptedError {
  return new InterruptedError(`Training was stopped after step ${step} of ${steps}.${how}`)
}

function copyOf(variables: Variables): Variables {
  return Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => [name, { ...variable, data: variable.data.slice() }]),
  )
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
