/** `isometry train --resume`: what a training began with, kept beside the model that it is to become. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { DataError, InterruptedError, UsageError } from '../errors.ts'
import { DivergedError, hasCheckpoint } from '../training/index.ts'
import { type TrainArguments, train } from './train.ts'

const SETTINGS = 'settings.json'
const FORMAT = 1

interface Kept {
  readonly format: number
  readonly data: string
  readonly options: Omit<TrainArguments, 'freeze'> & { readonly freeze?: readonly string[] }
}

/** Beside the model, so that the model is there whole or not at all. */
export function checkpointsOf(model: string): string {
  return `${model.replace(/[/\\]+$/, '')}.training`
}

export async function trainOrResume(
  data: string | undefined,
  options: Partial<TrainArguments> & { readonly resume?: string },
  command: Command,
): Promise<void> {
  const { resume, out } = options
  if (resume !== undefined) {
    refuseOthers(data, command)
    const kept = await readKept(resume)
    const { freeze } = kept.options
    const again = { ...kept.options, freeze: freeze?.map((source) => new RegExp(source)), out: resume }
    await finish(kept.data, { ...again, json: options.json ?? false, debug: options.debug ?? false }, true)
    return
  }
  if (data === undefined) throw new UsageError('There is nothing to train on. Name a folder of images, or --resume.')
  if (out === undefined) throw new UsageError('--out <MODEL> is missing. Name the directory to write the model to.')
  await finish(data, options as TrainArguments, false)
}

async function finish(data: string, options: TrainArguments, resume: boolean): Promise<void> {
  const directory = checkpointsOf(options.out)
  const keep = resume ? undefined : () => writeKept(directory, data, options)
  try {
    await train(data, options, { directory, every: options.checkpointEvery, resume }, keep)
  } catch (error) {
    // What has diverged would diverge again, and where no step was kept there is nothing to go on with.
    const isOver = (error as Error).cause instanceof DivergedError || !(await hasCheckpoint(directory))
    // What went wrong is told even where nothing can be cleared away.
    if (isOver && !resume) await rm(directory, { recursive: true, force: true }).catch(() => undefined)
    if (error instanceof InterruptedError && !isOver) {
      throw new InterruptedError(`${error.message} isometry train --resume ${options.out}`, { cause: error })
    }
    throw error
  }
  await rm(directory, { recursive: true, force: true })
}

/** Settings come from the beginning: others would make of it another training. */
function refuseOthers(data: string | undefined, command: Command): void {
  const allowed = ['resume', 'json', 'debug']
  const given = command.options.find(
    (option) =>
      !allowed.includes(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === 'cli',
  )
  if (data === undefined && !given) return
  throw new UsageError(
    `--resume goes on with the data and the settings that training began with, found ${given?.long ?? data}. Leave it out.`,
  )
}

async function writeKept(directory: string, data: string, options: TrainArguments): Promise<void> {
  const { freeze, force, validation, encoder, ...rest } = options
  const there = await readFile(join(directory, SETTINGS)).catch(() => undefined)
  if (there && !force) {
    throw new DataError(
      `${directory} holds a training that was not finished. Go on with --resume ${options.out}, or begin anew with --force.`,
    )
  }
  const kept = {
    format: FORMAT,
    data: resolve(data),
    options: {
      ...rest,
      force,
      ...(encoder !== undefined && { encoder: /\.onnx$/i.test(encoder) ? resolve(encoder) : encoder }),
      ...(validation !== undefined && { validation: resolve(validation) }),
      ...(freeze && { freeze: freeze.map(({ source }) => source) }),
    },
  }
  try {
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, SETTINGS), `${JSON.stringify(kept, null, 2)}\n`)
  } catch (error) {
    throw new DataError(`Checkpoints cannot be written to ${directory}: ${(error as Error).message}.`, { cause: error })
  }
}

async function readKept(model: string): Promise<Kept> {
  const file = join(checkpointsOf(model), SETTINGS)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new DataError(
      `There is no training of ${model} to go on with: ${error.code === 'ENOENT' ? `${file} is not there` : error.message}.`,
      { cause: error },
    )
  })
  try {
    const kept = JSON.parse(text) as Kept
    if (kept.format === FORMAT && typeof kept.data === 'string' && typeof kept.options === 'object') return kept
    throw new Error(`its format is ${kept.format}`)
  } catch (error) {
    throw new DataError(`${file} cannot be used: ${(error as Error).message}. Train again.`, { cause: error })
  }
}
