/** A model as a directory: written whole or not at all. */
import { access, constants, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { DataError } from '../errors.ts'
import { syncFolder, writeWhole } from '../files.ts'
import { metricsByName } from '../metrics/by-name.ts'
import { type Description, parseDescription } from './description.ts'

/** What a model directory holds. */
export interface ModelFiles {
  /** The bytes of `encoder.onnx`. */
  readonly encoder: Uint8Array
  /** The bytes of `metric.onnx`, where the metric is none of ours. */
  readonly metric?: Uint8Array | undefined
  /** The bytes of `last.onnx`: the encoder after the last step, where `encoder.onnx` is that of the best evaluation. */
  readonly last?: Uint8Array | undefined
  /** `config.json`: the settings of `isometry train` by which it can be made again, where that command made it. */
  readonly config?: string | undefined
  /** `isometry.json`. */
  readonly description: Description
  /** `history.jsonl`: for each step of training its loss and statistics. */
  readonly history: string
}

const ENCODER = 'encoder.onnx'
const METRIC = 'metric.onnx'
const DESCRIPTION = 'isometry.json'
const LAST = 'last.onnx'
const CONFIG = 'config.json'
const HISTORY = 'history.jsonl'

/** @throws DataError if the directory is missing, is not a model, or is of a newer format. */
export async function readModelDirectory(directory: string): Promise<ModelFiles> {
  const found = await stat(directory).catch(() => undefined)
  if (!found) throw new DataError(`There is no model at ${directory}. Name a directory that \`isometry train\` wrote.`)
  if (!found.isDirectory()) {
    throw new DataError(`${directory} is a file, not a model. Name the directory that \`isometry train\` wrote.`)
  }
  const file = join(directory, DESCRIPTION)
  const text = await readFile(file, 'utf8').catch(() => {
    throw new DataError(
      `${directory} is not a model: it has no readable ${DESCRIPTION}. Name a directory that \`isometry train\` wrote.`,
    )
  })
  const description = parseDescription(text, file)
  const encoder = await readFile(join(directory, ENCODER)).catch(() => {
    throw new DataError(`${directory} has no readable ${ENCODER}, so it is not a whole model. Train it again.`)
  })
  const metric = metricsByName.has(description.metric)
    ? undefined
    : await readFile(join(directory, METRIC)).catch(() => {
        throw new DataError(
          `${directory} names the metric ${description.metric}; expected one of ${[...metricsByName.keys()].join(', ')}, or a readable ${METRIC} that holds it. Copy the whole model.`,
        )
      })
  const optional = (name: string) => readFile(join(directory, name)).catch(() => undefined)
  const [last, config] = [await optional(LAST), (await optional(CONFIG))?.toString()]
  return {
    encoder,
    metric,
    last,
    config,
    description,
    history: await readFile(join(directory, HISTORY), 'utf8').catch(() => ''),
  }
}

/**
 * Makes sure, before any work is done, that a model can be written to `directory`.
 *
 * @throws DataError if it exists and `force` is not set, if it exists and is not a model, or cannot be written.
 */
export async function checkOutput(directory: string, force = false): Promise<void> {
  if (await stat(directory).catch(() => undefined)) {
    if (!force) throw new DataError(`${directory} exists. Name another directory, or replace it with --force.`)
    const replaceable = await access(join(directory, DESCRIPTION)).then(
      () => true,
      () => false,
    )
    if (!replaceable) {
      throw new DataError(`${directory} exists and is not a model, so it is not replaced. Name another directory.`)
    }
  }
  await rm(await besides(directory), { recursive: true })
}

/** Writes the files beside the directory and then puts them in its place in one move. */
export async function writeModelDirectory(directory: string, files: ModelFiles, force = false): Promise<void> {
  await checkOutput(directory, force)
  const partial = await besides(directory)
  try {
    // On disk before it takes its place: what training kept until now is cleared away next.
    const write = (name: string, content: string | Uint8Array) =>
      writeFile(join(partial, name), content, { flush: true })
    await write(ENCODER, files.encoder)
    if (files.metric) await write(METRIC, files.metric)
    if (files.config !== undefined) await write(CONFIG, files.config)
    if (files.last) await write(LAST, files.last)
    await write(DESCRIPTION, textOf(files.description))
    await write(HISTORY, files.history)
    await syncFolder(partial)
    const old = `${partial}.old`
    const replaced = await rename(directory, old).then(
      () => true,
      () => false,
    )
    await rename(partial, directory)
    await syncFolder(dirname(partial))
    if (replaced) await rm(old, { recursive: true })
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw cannotWrite(directory, error)
  }
}

/** Replaces `isometry.json` in one move: a reader sees the old one or the new one. */
export async function replaceDescription(directory: string, description: Description): Promise<void> {
  await writeWhole(join(directory, DESCRIPTION), textOf(description)).catch((error: Error) => {
    throw cannotWrite(directory, error)
  })
}

function textOf(description: Description): string {
  return `${JSON.stringify(description, null, 2)}\n`
}

/** A new empty directory next to `directory`, on the same file system. */
async function besides(directory: string): Promise<string> {
  try {
    const parent = dirname(resolve(directory))
    await mkdir(parent, { recursive: true })
    await access(parent, constants.W_OK)
    return await mkdtemp(join(parent, `.${basename(directory)}.partial-`))
  } catch (error) {
    throw cannotWrite(directory, error)
  }
}

function cannotWrite(directory: string, error: unknown): DataError {
  return new DataError(
    `A model cannot be written to ${directory}: ${(error as Error).message}. Name a directory that you may write to.`,
    { cause: error },
  )
}
