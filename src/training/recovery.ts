/** Steps that can go back to the last good parameters and go on more softly from there. */
import type { Variables } from '../encoders/encoder.ts'
import type { Loss } from '../losses/loss.ts'
import { all } from '../mining/all.ts'
import type { Tensors } from '../runtime/session.ts'
import type { Batch } from './batch.ts'
import type { OnCollapse } from './collapse.ts'
import type { Step } from './step.ts'

/** Parameters are kept every so many steps while the spread is good; a copy of them costs a fraction of a step. */
const KEEP_EVERY = 20

export interface RecoverableOptions {
  readonly loss: Loss
  readonly learningRate: number
  readonly onCollapse: OnCollapse
}

export interface Recoverable {
  /** One step, at a multiple of the learning rate. */
  run(batches: readonly Batch[], factor: number): ReturnType<Step['run']>
  /** Keeps the parameters to go back to, now and then. */
  keep(step: number): Promise<void>
  /** After a step whose loss or gradient was not finite: says which node was the first, and goes back to the last good parameters. */
  lastGood(lossIsFinite: boolean): Promise<{ readonly cause: string | undefined; readonly parameters: string }>
  /** Goes back and softens what comes; says so. */
  goBack(): Promise<string>
  /** Goes on with the loss as it was; says so, if anything had been softened. */
  resume(step: number): Promise<string>
  /** All that `load` goes on from, as tensors and numbers. */
  save(): Promise<Saved>
  /** @param rows in each batch. */
  load(saved: Saved, rows: number): Promise<void>
  variables(): Promise<Variables>
  release(): Promise<void>
}

export interface Saved {
  readonly tensors: Tensors
  readonly state: Readonly<Record<string, number>>
}

interface Kept {
  readonly step: number
  readonly state: Tensors
}

/** Mined triplets are softened to all of them; where nothing is mined, the learning rate is halved for good. */
export async function recoverable(
  { loss, learningRate }: RecoverableOptions,
  create: (loss: Loss) => Step,
): Promise<Recoverable> {
  const hard = create(loss)
  const mining = loss.settings?.mining
  const softer = mining !== undefined && mining !== all().name ? loss.withMining?.(all()) : undefined
  let soft: Step | undefined
  let current = hard
  let rate = learningRate
  let good: Kept = { step: 0, state: await hard.snapshot() }
  let candidate: Kept | undefined
  /** How many batches each has seen: they draw on their own. */
  const seen = { hard: 0, soft: 0 }

  async function change(to: Step, state: Tensors) {
    await to.restore(state)
    current = to
  }

  return {
    run(batches, factor) {
      seen[current === hard ? 'hard' : 'soft'] += batches.length
      return current.run(batches, rate * factor)
    },
    async keep(step) {
      // What a step leaves has shown to be good when the next one has come out well.
      if (candidate) good = candidate
      candidate = step >= good.step + KEEP_EVERY ? { step, state: await current.snapshot() } : undefined
    },
    async lastGood(lossIsFinite) {
      current.undo()
      const cause = await current.explain()
      if (lossIsFinite) return { cause, parameters: 'before that step' }
      await current.restore(good.state)
      return { cause, parameters: good.step === 0 ? 'of the beginning' : `of step ${good.step}` }
    },
    async goBack() {
      candidate = undefined
      const from = good.step === 0 ? 'the beginning' : `step ${good.step}`
      if (softer && current === hard) {
        soft ??= create(softer)
        await change(soft, good.state)
        return `Went back to the parameters of ${from}; all triplets count until the spread is back.`
      }
      rate /= 2
      await current.restore(good.state)
      return `Went back to the parameters of ${from}; the learning rate is ${rate} from now on.`
    },
    async resume(step) {
      if (current === hard) return ''
      good = { step, state: await current.snapshot() }
      candidate = undefined
      await change(hard, good.state)
      return ` Triplets are chosen by ${mining} again.`
    },
    async save() {
      const parts = {
        now: await current.snapshot(),
        good: good.state,
        ...(candidate && { candidate: candidate.state }),
      }
      const tensors = Object.entries(parts).flatMap(([part, state]) =>
        Object.entries(state).map(([name, tensor]) => [`${part}: ${name}`, tensor] as const),
      )
      const steps = { good: good.step, ...(candidate && { candidate: candidate.step }) }
      return {
        tensors: Object.fromEntries(tensors),
        state: { ...steps, rate, hard: seen.hard, soft: seen.soft, isSoft: Number(current !== hard) },
      }
    },
    async load({ tensors, state }, rows) {
      const part = (wanted: string) =>
        Object.fromEntries(
          Object.entries(tensors)
            .filter(([name]) => name.startsWith(`${wanted}: `))
            .map(([name, tensor]) => [name.slice(wanted.length + 2), tensor]),
        )
      good = { step: state.good!, state: part('good') }
      candidate = state.candidate === undefined ? undefined : { step: state.candidate, state: part('candidate') }
      rate = state.rate!
      Object.assign(seen, { hard: state.hard, soft: state.soft })
      hard.skip(seen.hard, rows)
      if (seen.soft > 0 || state.isSoft) {
        soft ??= create(softer!)
        soft.skip(seen.soft, rows)
      }
      await change(state.isSoft ? soft! : hard, part('now'))
    },
    variables: () => current.variables(),
    async release() {
      await hard.release()
      await soft?.release()
    },
  }
}
