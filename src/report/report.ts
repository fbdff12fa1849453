/** The report of a model as one HTML file. */
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Source } from '../data/index.ts'
import { cannotWrite, writeWhole } from '../files.ts'
import type { Model } from '../model/index.ts'
import { commandLine } from './command.ts'
import { figuresOf } from './figures.ts'
import { readHistory } from './history.ts'
import { bodyOf } from './page/body.ts'
import { shell } from './page/shell.ts'

export interface ReportOptions {
  /** The directory that the model is in. */
  readonly directory: string
  /** The command that makes this report again. */
  readonly command: string
  /** Why there are no items to show, or not all of them. */
  readonly notice?: string | undefined
}

/** Beside the compiled report, and as far away from its source. */
const script = new URL('../../dist/report/charts.js', import.meta.url)

/** Writes the report whole or not at all. @throws DataError if it cannot be written. */
export async function writeReport(
  file: string,
  model: Model,
  source: Source | undefined,
  options: ReportOptions,
): Promise<void> {
  const text = await reportOf(model, source, options)
  await writeWhole(file, text).catch(cannotWrite(file))
}

/**
 * The report as the text of an HTML file that needs nothing else. The same model and data give the same text.
 *
 * @param source what the model is looked at with; without it, what is known of training alone is shown.
 */
export async function reportOf(model: Model, source: Source | undefined, options: ReportOptions): Promise<string> {
  const { directory, command, notice } = options
  const { description, metric, config } = model
  const figures = source && (await figuresOf(model, source))
  const history = readHistory(model.history)
  const name = basename(resolve(directory))
  const trainCommand =
    config === undefined
      ? undefined
      : commandLine(['train', '--config', join(directory, 'config.json'), '--out', 'again.model'])
  return shell({
    title: `${name}: Isometry report`,
    body: bodyOf({ name, command, trainCommand, notice, description, history, figures }),
    data: { metric: metric.name, history, verification: figures?.verification, map: figures?.map },
    script: await readFile(script, 'utf8'),
  })
}
