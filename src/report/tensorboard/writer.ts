/** Training as curves in TensorBoard: one event file for each time that training begins or goes on. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DataError } from '../../errors.ts'
import type { TrainingEvent } from '../../training/index.ts'
import { type EventMessage, encodeEvent } from './message.ts'
import { record } from './records.ts'

export interface EventFile {
  readonly path: string
  /** Adds the numbers of a step or an evaluation; of other events, nothing. */
  write(event: TrainingEvent): void
  close(): void
}

const now = () => Date.now() / 1000

/**
 * Begins a file `events.out.tfevents.…` in a directory, which is made if it is not there. The first step that is written is
 * where it begins: what earlier files hold from there on, of steps that were lost, TensorBoard leaves out.
 *
 * @param warn is told where a disk is full: training goes on, and its curves end there.
 * @throws DataError if it cannot be written to at all.
 */
export function openEventFile(directory: string, warn: (message: string) => void): EventFile {
  const name = `events.out.tfevents.${Math.floor(now())}.${hostname()}.${process.pid}`
  const path = join(directory, name)
  const problem = (error: unknown) =>
    `TensorBoard's events cannot be written to ${directory}: ${(error as Error).message}.`
  let file: number
  const append = (message: EventMessage) => writeSync(file, record(encodeEvent(message)))
  try {
    mkdirSync(directory, { recursive: true })
    file = openSync(path, 'a')
    append({ wallTime: now(), fileVersion: 'brain.Event:2' })
  } catch (error) {
    throw new DataError(problem(error), { cause: error })
  }
  let hasBegun = false
  let hasFailed = false
  return {
    path,
    write(event) {
      const scalars = scalarsOf(event)
      if (!scalars || hasFailed) return
      const step = event.kind === 'step' ? event.record.step : (event as { step: number }).step
      try {
        if (!hasBegun) append({ wallTime: now(), step, begins: true })
        hasBegun = true
        append({ wallTime: now(), step, scalars })
      } catch (error) {
        // After half a record nothing could be read.
        hasFailed = true
        warn(`${problem(error)} Training goes on without them.`)
      }
    },
    close: () => closeSync(file),
  }
}

function scalarsOf(event: TrainingEvent): Record<string, number> | undefined {
  if (event.kind !== 'step' && event.kind !== 'evaluation') return undefined
  const [prefix, values] =
    event.kind === 'step' ? (['training', event.record] as const) : (['validation', event.evaluation] as const)
  const numbers = Object.entries(values).filter(([name, value]) => name !== 'step' && typeof value === 'number')
  return Object.fromEntries(numbers.map(([name, value]) => [`${prefix}/${name}`, value as number]))
}
