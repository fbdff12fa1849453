/** The second demo: for whoever has embeddings already. They are adapted to a notion of similar, and nothing else is needed. */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { data, type Evaluation, loadModel, writeEmbeddings } from 'isometry'
import { isometry } from './command.ts'
import { describe, dimension } from './descriptor.ts'
import { side } from './draw.ts'
import { renderImages } from './render.ts'

const folder = dirname(import.meta.dirname)
const images = join(folder, 'images')
const output = join(folder, 'output')
const [training, unseen] = [join(output, 'latin.safetensors'), join(output, 'unseen.safetensors')]

console.log(
  `Letters of real typefaces as vectors of ${dimension} numbers (histograms of gradients, and coarse pixels) …`,
)
await renderImages(images)
await mkdir(output, { recursive: true })
for (const [tree, file] of [
  ['train', training],
  ['test', unseen],
] as const) {
  const { length, classes } = await writeVectors(join(images, 'by-character', tree), file)
  console.log(
    `  ${tree === 'train' ? 'to train on' : 'never seen '}  ${length} vectors of ${classes.length} characters`,
  )
}

const adapters = [
  { title: 'both sides', name: 'adapter', flags: [] },
  { title: 'queries alone', name: 'query-adapter', flags: ['--adapt', 'queries'] },
] as const
const STEPS = ['--steps', '300', '--learning-rate', '0.001']
const columns: [string, Evaluation][] = []
for (const { title, name, flags } of adapters) {
  const directory = join(output, `${name}.model`)
  const paths = [training, '--validation', unseen, '--out', directory, '--force']
  isometry(['train', ...paths, '--encoder', 'linear', '--residual', ...flags, ...STEPS])
  const model = await loadModel(directory)
  const { before, after } = model.description.training.validation!
  if (columns.length === 0) columns.push(['raw vectors', before])
  columns.push([title, after])
  await model.release()
}

const WIDTH = 15
const line = (title: string, cells: readonly string[]) =>
  console.log(`  ${title.padEnd(14)}${cells.map((cell) => cell.padStart(WIDTH)).join('')}`)
console.log('\nGreek and Cyrillic characters, which training never saw; what is adapted:\n')
line(
  '',
  columns.map(([title]) => title),
)
for (const [name, of] of [
  ['precision@1', (each: Evaluation) => each.precisionAt1],
  ['MAP@R', (each: Evaluation) => each.meanAveragePrecisionAtR],
] as const) {
  line(
    name,
    columns.map(([, each]) => `${(100 * of(each)).toFixed(1)} %`),
  )
}
console.log('\nWhere queries alone are adapted, a gallery that is indexed already stays as it is.')

/** Every image of a folder as a vector, in a file as `isometry embed` writes it. */
async function writeVectors(tree: string, file: string) {
  const input = { kind: 'image', channels: 1, height: side, width: side, resize: 'stretch' } as const
  const source = await data.openImageFolder(tree, { input })
  const vectors = new Float32Array(source.length * dimension)
  for (let row = 0; row < source.length; row++) {
    const { data: pixels } = await source.read([row])
    vectors.set(describe(pixels as Uint8Array), row * dimension)
  }
  await writeEmbeddings(file, {
    items: data.itemsOf(source),
    labels: data.labelsOf(source),
    embeddings: { dtype: 'float32', shape: [source.length, dimension], data: vectors },
  })
  return source
}
