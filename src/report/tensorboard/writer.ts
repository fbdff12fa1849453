/** Training as curves in TensorBoard: one event file for each time that training begins or goes on. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DataError } from '../../errors.ts'
import type { TrainingEvent } from '../../training/index.ts'
import { encodeEvent } from './message.ts'
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
 * @throws DataError if it cannot be written.
 */
export function openEventFile(directory: string): EventFile {
  const name = `events.out.tfevents.${Math.floor(now())}.${hostname()}.${process.pid}`
  const path = join(directory, name)
  let file: number
  try {
    mkdirSync(directory, { recursive: true })
    file = openSync(path, 'a')
  } catch (error) {
    throw new DataError(`TensorBoard's events cannot be written to ${directory}: ${(error as Error).message}.`, {
      cause: error,
    })
  }
  const append = (message: Parameters<typeof encodeEvent>[0]) => writeSync(file, record(encodeEvent(message)))
  append({ wallTime: now(), fileVersion: 'brain.Event:2' })
  let hasBegun = false
  return {
    path,
    write(event) {
      const scalars = scalarsOf(event)
      if (!scalars) return
      const step = event.kind === 'step' ? event.record.step : (event as { step: number }).step
      if (!hasBegun) append({ wallTime: now(), step, begins: true })
      hasBegun = true
      append({ wallTime: now(), step, scalars })
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
