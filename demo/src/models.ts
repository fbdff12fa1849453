/** The demo's two models, trained with the command that anyone would use. */
import { join } from 'node:path'
import { data, type Evaluation, evaluate, loadModel, type Model } from 'isometry'
import { isometry } from './command.ts'

/** What the user says is similar. */
export interface Notion {
  readonly name: 'by-character' | 'by-typeface'
  readonly title: string
  /** What its test images have never been seen as. */
  readonly test: string
  readonly flags: readonly string[]
}

export const notions: readonly Notion[] = [
  {
    name: 'by-character',
    title: 'By character',
    test: 'Greek and Cyrillic characters; training saw Latin letters and digits',
    flags: ['--steps', '400'],
  },
  {
    name: 'by-typeface',
    title: 'By typeface',
    test: 'five typefaces that training never saw',
    flags: ['--steps', '400', '--classes-per-batch', '16', '--per-class', '8'],
  },
]

/** How well images of one class are each other's nearest neighbours, for the model and for what it has to beat. */
export interface Results {
  readonly notion: Notion
  readonly model: Model
  readonly pixels: Evaluation
  readonly untrained: Evaluation
  readonly trained: Evaluation
}

/** Trains with the command line, as it is printed, and measures the raw pixels in the same metric. */
export async function trainModel(notion: Notion, images: string, output: string): Promise<Results> {
  const [training, test] = [join(images, notion.name, 'train'), join(images, notion.name, 'test')]
  const directory = join(output, `${notion.name}.model`)
  const args = [
    'train',
    training,
    '--validation',
    test,
    '--out',
    directory,
    '--force',
    '--grayscale',
    '--report',
    ...notion.flags,
  ]
  isometry(args)

  const model = await loadModel(directory)
  const { before, after } = model.description.training.validation!
  return { notion, model, pixels: await evaluatePixels(test, model), untrained: before, trained: after }
}

/** Nearest neighbour on the raw pixels, in the model's metric. */
async function evaluatePixels(folder: string, { description, metric }: Model): Promise<Evaluation> {
  const images = await data.openSource(folder, { input: description.input })
  const { data: bytes } = await images.read(Array.from({ length: images.length }, (_, row) => row))
  const pixels = Float32Array.from(bytes as Uint8Array)
  return evaluate(
    {
      embeddings: { dtype: 'float32', shape: [images.length, pixels.length / images.length], data: pixels },
      labels: Array.from(images.labels, (label) => images.classes[label] ?? null),
    },
    metric,
  )
}
