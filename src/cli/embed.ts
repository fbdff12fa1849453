/** `isometry embed` */
import { type ColumnOptions, itemsOf, labelsOf, openSource } from '../data/index.ts'
import { checkEmbeddingsFile, writeEmbeddings } from '../model/embeddings-file.ts'
import { loadModel, type Role } from '../model/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { namedOf } from './named.ts'
import { interruptible, warn } from './outcome.ts'

export async function embed(
  directory: string,
  paths: readonly string[],
  options: DeviceArguments & ColumnOptions & { query?: string; out: string; role: Role },
): Promise<void> {
  const { out, role } = options
  checkEmbeddingsFile(out)
  const named = namedOf(paths, options.query, ['PATH', '--query'])
  const signal = interruptible()
  const model = await loadModel(directory, { warn, signal, ...computeOptions(options) })
  const examples = await openSource(named, { ...options, input: model.description.input, warn, signal })
  const embeddings = await model.embed(examples, { role })
  await model.release()
  await writeEmbeddings(out, { items: itemsOf(examples), labels: labelsOf(examples), embeddings })
  process.stdout.write(`${examples.length} embeddings of ${model.description.dimension} numbers are in ${out}\n`)
}
