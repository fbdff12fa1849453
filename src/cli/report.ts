/** `isometry report` */
import { join } from 'node:path'
import { comparedWith } from '../data/compared-with.ts'
import { type ColumnOptions, openSource, type Source, type Tuples } from '../data/index.ts'
import { loadModel } from '../model/index.ts'
import { commandLine } from '../report/command.ts'
import { noticeOf, openHeldOut } from '../report/held-out.ts'
import { writeReport } from '../report/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { orNone } from './named.ts'
import { interruptible, warn } from './outcome.ts'

const inModel = (directory: string) => join(directory, 'report.html')

export async function report(
  directory: string,
  data: string | undefined,
  options: DeviceArguments & ColumnOptions & { query?: string; out?: string },
): Promise<void> {
  const examples = orNone(data, options.query, ['DATA', '--query'])
  const signal = interruptible()
  const model = await loadModel(directory, { warn, signal, ...computeOptions(options) })
  const file = options.out ?? inModel(directory)
  const named =
    examples === undefined
      ? undefined
      : await openSource(examples, { ...options, input: model.description.input, warn, signal })
  const held = named ? undefined : await openHeldOut(model, { warn, signal })
  const notice = held && noticeOf(model, held)
  await writeReport(file, model, named ?? held?.source, {
    directory,
    command: commandLine(process.argv.slice(2)),
    notice,
  })
  await model.release()
  if (notice) warn(notice)
  process.stdout.write(`The report is in ${file}\n`)
}

/** The report of what was just trained and saved, on what was held out. */
export async function reportOn(
  directory: string,
  heldOut: Source | Tuples | undefined,
  gallery: Source | undefined,
  options: DeviceArguments,
): Promise<string> {
  const file = inModel(directory)
  const model = await loadModel(directory, computeOptions(options))
  // Tuples say how far apart their items are, but not of which class they are.
  const alone = heldOut && 'examples' in heldOut ? undefined : heldOut
  const source = alone && gallery ? comparedWith(alone, gallery) : alone
  const notice = noticeOf(model, { source, missing: 0 })
  await writeReport(file, model, source, { directory, command: commandLine(['report', directory]), notice })
  await model.release()
  return file
}
