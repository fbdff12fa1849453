/** Checkpoints on disk: the last one and the one before it, each written whole or not at all. */
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DataError } from '../errors.ts'
import { ifMissing, writeWhole } from '../files.ts'
import type { Tensors } from '../runtime/session.ts'
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts'
import type { StepRecord } from './options.ts'

export interface CheckpointOptions {
  /** Where checkpoints are kept; made if it is not there. */
  readonly directory: string
  /** A checkpoint every so many steps; 100 if left out. */
  readonly every?: number
  /** Whether to go on from the checkpoint that is there, if one is; false if left out. */
  readonly resume?: boolean
}

/** All that training goes on from. */
export interface Checkpoint {
  /** What the data, the settings and the threads were: a checkpoint of others is refused. */
  readonly identity: Readonly<Record<string, unknown>>
  readonly history: readonly StepRecord[]
  /** What the steps carry, by name. */
  readonly tensors: Tensors
  /** Numbers beside them. */
  readonly state: Readonly<Record<string, number>>
}

const [LAST, BEFORE] = ['checkpoint.safetensors', 'previous.safetensors']
const FORMAT = '1'

/** @throws DataError if it cannot be written; the checkpoint before it stays. */
export async function writeCheckpoint(directory: string, checkpoint: Checkpoint): Promise<void> {
  const { tensors, ...rest } = checkpoint
  try {
    await mkdir(directory, { recursive: true })
    const bytes = writeSafetensors({ tensors, metadata: { format: FORMAT, checkpoint: JSON.stringify(rest) } })
    const [file, before] = [join(directory, LAST), join(directory, BEFORE)]
    await writeWhole(file, bytes, { before, partial: `${file}.partial` })
  } catch (error) {
    throw new DataError(
      `The checkpoint cannot be written to ${directory}: ${(error as Error).message}. The one before it is kept; make room.`,
      { cause: error },
    )
  }
}

/** Whether there is a checkpoint, whole or not. */
export async function hasCheckpoint(directory: string): Promise<boolean> {
  const found = await Promise.all([LAST, BEFORE].map((name) => stat(join(directory, name)).catch(ifMissing)))
  return found.some((each) => each !== undefined)
}

/**
 * The last checkpoint that is whole, or undefined if none was written yet.
 *
 * @param warn is told of one that is damaged.
 * @throws DataError if all that are there are damaged, or the checkpoint belongs to other data, settings or threads.
 */
export async function readCheckpoint(
  directory: string,
  identity: Checkpoint['identity'],
  warn: (message: string) => void,
): Promise<Checkpoint | undefined> {
  let damage: string | undefined
  for (const name of [LAST, BEFORE]) {
    const path = join(directory, name)
    const bytes = await readFile(path).catch(ifMissing)
    if (!bytes) continue
    let found: Checkpoint
    try {
      found = parse(bytes)
    } catch (error) {
      damage = `${path} is damaged: ${(error as Error).message}`
      if (name === LAST) warn(`${damage} Going on from the checkpoint before it.`)
      continue
    }
    compare(found.identity, identity, path)
    return found
  }
  if (damage) throw new DataError(`${damage} There is no whole checkpoint; train again.`)
  return undefined
}

function parse(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes)
  if (metadata.format !== FORMAT || !metadata.checkpoint) {
    throw new DataError(`It is of format ${metadata.format}; this version reads ${FORMAT}.`)
  }
  return { ...(JSON.parse(metadata.checkpoint) as Omit<Checkpoint, 'tensors'>), tensors }
}

function compare(found: Checkpoint['identity'], expected: Checkpoint['identity'], path: string): void {
  const names = new Set([...Object.keys(found), ...Object.keys(expected)])
  for (const name of names) {
    const [before, now] = [found, expected].map((each) => JSON.stringify(each[name]))
    if (before === now) continue
    throw new DataError(
      `${path} belongs to another training: its ${name} is ${before}, here it is ${now}. Go on with what it began with, or train anew elsewhere.`,
    )
  }
}
