/** `isometry train`, anew or from where it was stopped: settings are kept beside the model that it is to become. */
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Table } from '../data/index.ts'
import { DataError, InterruptedError, UsageError } from '../errors.ts'
import { writeWhole } from '../files.ts'
import { DivergedError, hasCheckpoint } from '../training/index.ts'
import { applyConfig, toConfig } from './config.ts'
import { type TrainArguments, train } from './train.ts'

const CONFIG = 'config.json'
/** Is there where the model that was there before was to be replaced. */
const FORCE = 'force'

/** Beside the model, so that the model is there whole or not at all. */
export function checkpointsOf(model: string): string {
  return `${model.replace(/[/\\]+$/, '')}.training`
}

export async function trainOrResume(
  argument: string | undefined,
  { resume, config }: { readonly resume?: string; readonly config?: string },
  command: Command,
): Promise<void> {
  let data = argument
  if (resume !== undefined) {
    refuseOthers(argument, command)
    data = await applyConfig(command, await keptConfig(resume))
    command.setOptionValueWithSource('out', resume, 'cli')
    if (await mayReplace(resume)) command.setOptionValueWithSource('force', true, 'config')
  } else if (config !== undefined) {
    const named = await applyConfig(command, config)
    data ??= named
  }
  const options = command.opts<TrainArguments>()
  const { query } = options
  if (data !== undefined && query !== undefined) {
    throw new UsageError(`--query takes the place of DATA, found ${data}, too. Leave one of them out.`)
  }
  if (data === undefined && query === undefined) {
    throw new UsageError('There is nothing to train on. Name a folder of images, a table, --query or --resume.')
  }
  if (options.out === undefined) {
    throw new UsageError('--out <MODEL> is missing. Name the directory to write the model to.')
  }
  await finish(data ?? { query: query!, folder: options.queryFolder }, command, resume !== undefined)
}

async function finish(data: Table, command: Command, resume: boolean): Promise<void> {
  const options = command.opts<TrainArguments>()
  const directory = checkpointsOf(options.out)
  let hasBegun = false
  try {
    await train(data, options, {
      checkpoint: { directory, every: options.checkpointEvery, resume },
      config: (resolved) => toConfig(typeof data === 'string' ? data : undefined, command, resolved),
      async begin(config) {
        if (resume) return
        await keep(directory, config, options)
        hasBegun = true
      },
    })
  } catch (error) {
    const isKept = await hasCheckpoint(directory)
    // What has diverged would diverge again. What somebody else's training keeps there is left alone.
    const isOver = (error as Error).cause instanceof DivergedError || (hasBegun && !isKept)
    // What went wrong is told even where nothing can be cleared away.
    if (isOver) await rm(directory, { recursive: true, force: true }).catch(() => undefined)
    if (error instanceof InterruptedError && isKept && (hasBegun || resume)) {
      throw new InterruptedError(`${error.message} isometry train --resume ${options.out}`, { cause: error })
    }
    throw error
  }
  await rm(directory, { recursive: true, force: true })
}

/** Settings come from the beginning: others would make of it another training. */
function refuseOthers(data: string | undefined, command: Command): void {
  const allowed = ['resume', 'json', 'debug', 'report', 'force']
  const given = command.options.find(
    (option) =>
      !allowed.includes(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === 'cli',
  )
  if (data === undefined && !given) return
  throw new UsageError(
    `--resume goes on with the data and the settings that training began with, found ${given?.long ?? data}. Leave it out.`,
  )
}

async function keep(directory: string, config: string, { out, force }: TrainArguments): Promise<void> {
  const there = await readFile(join(directory, CONFIG)).catch(() => undefined)
  if (there && !force) {
    throw new DataError(
      `${directory} holds a training that was not finished. Go on with --resume ${out}, or begin anew with --force.`,
    )
  }
  try {
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true })
    // First, so that settings are never without it.
    if (force) await writeFile(join(directory, FORCE), '')
    await writeWhole(join(directory, CONFIG), config)
  } catch (error) {
    throw new DataError(`Checkpoints cannot be written to ${directory}: ${(error as Error).message}.`, { cause: error })
  }
}

/** The settings that a training began with. */
async function keptConfig(model: string): Promise<string> {
  const file = join(checkpointsOf(model), CONFIG)
  await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(
      `There is no training of ${model} to go on with: ${error.code === 'ENOENT' ? `${file} is not there` : error.message}.`,
      { cause: error },
    )
  })
  return file
}

/** Whether training began with --force, or the model that is there is its own: it was killed when all was done. */
async function mayReplace(model: string): Promise<boolean> {
  const directory = checkpointsOf(model)
  const read = (file: string) => readFile(file, 'utf8').catch(() => undefined)
  const [force, kept, made] = await Promise.all([
    read(join(directory, FORCE)),
    read(join(directory, CONFIG)),
    read(join(model, CONFIG)),
  ])
  return force !== undefined || (kept !== undefined && kept === made)
}
