/** `isometry embed` */
import { openImages } from '../data/index.ts'
import { labelsOf } from '../model/embedder.ts'
import { checkEmbeddingsFile, writeEmbeddings } from '../model/embeddings-file.ts'
import { loadModel } from '../model/index.ts'
import { interruptible, warn } from './outcome.ts'

export async function embed(directory: string, paths: readonly string[], { out }: { out: string }): Promise<void> {
  checkEmbeddingsFile(out)
  const signal = interruptible()
  const model = await loadModel(directory, { warn, signal })
  const images = await openImages(paths, { input: model.description.input, warn, signal })
  const embeddings = await model.embed(images)
  await model.release()
  await writeEmbeddings(out, { items: images.items, labels: labelsOf(images), embeddings })
  process.stdout.write(`${images.length} embeddings of ${model.description.dimension} numbers are in ${out}\n`)
}
