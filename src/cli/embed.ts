/** `isometry embed` */
import { itemsOf, labelsOf, openSource } from '../data/index.ts'
import { checkEmbeddingsFile, writeEmbeddings } from '../model/embeddings-file.ts'
import { loadModel } from '../model/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { interruptible, warn } from './outcome.ts'

export async function embed(
  directory: string,
  paths: readonly string[],
  options: DeviceArguments & { out: string },
): Promise<void> {
  const { out } = options
  checkEmbeddingsFile(out)
  const signal = interruptible()
  const model = await loadModel(directory, { warn, signal, ...computeOptions(options) })
  const images = await openSource(paths, { input: model.description.input, warn, signal })
  const embeddings = await model.embed(images)
  await model.release()
  await writeEmbeddings(out, { items: itemsOf(images), labels: labelsOf(images), embeddings })
  process.stdout.write(`${images.length} embeddings of ${model.description.dimension} numbers are in ${out}\n`)
}
