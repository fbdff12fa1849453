/** The steps of a training run, one after the other. */
import { setImmediate } from 'node:timers/promises'
import { classSampler, type Images } from '../data/index.ts'
import type { Variables } from '../encoders/encoder.ts'
import { InterruptedError, RuntimeError } from '../errors.ts'
import type { StepRecord, TrainOptions } from './options.ts'
import { compileStep } from './step.ts'

/** Training options of which nothing that the loop needs is left out. */
export type LoopOptions = TrainOptions &
  Required<
    Pick<TrainOptions, 'loss' | 'optimizer' | 'classesPerBatch' | 'perClass' | 'steps' | 'learningRate' | 'seed'>
  >

/**
 * Trains the variables for as many steps as the options say.
 *
 * @throws RuntimeError if the loss is no longer finite, InterruptedError if the signal is aborted.
 */
export async function runSteps(images: Images, initial: Variables, options: LoopOptions) {
  const { signal, steps, onStep } = options
  const sampler = classSampler(images.labels, options)
  const step = await compileStep({
    ...options,
    variables: initial,
    rows: sampler.rows,
    largestClass: sampler.perClass,
  })
  const history: StepRecord[] = []
  try {
    for (let i = 1; i <= steps; i++) {
      const rows = sampler.next()
      const labels = Int32Array.from(rows, (row) => images.labels[row]!)
      const { loss, statistics } = await step.run(images.read(rows), labels, options.learningRate)
      if (!Number.isFinite(loss)) {
        throw new RuntimeError(
          `The loss became ${loss} at step ${i}. Lower the learning rate, ${options.learningRate} now.`,
        )
      }
      const record = { step: i, loss, ...statistics }
      history.push(record)
      onStep?.(record)
      // A step blocks the event loop; a turn of it lets Ctrl-C and timers through.
      await setImmediate()
      if (signal?.aborted) throw new InterruptedError(`Training was stopped after step ${i} of ${steps}.`)
    }
    const variables = step.variables()
    return { variables, history }
  } finally {
    await step.release()
  }
}
