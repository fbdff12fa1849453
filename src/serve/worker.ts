/** The thread that computes: a run of a graph blocks the one it is in, and the server's has to go on answering. */
import sharp from 'sharp'
import { type Source, vectors } from '../data/index.ts'
import { IsometryError, UsageError } from '../errors.ts'
import { decodeImage } from '../inputs/image.ts'
import { describeInput } from '../inputs/input.ts'
import { createIndex, type Index, loadModel, type Model, openIndex } from '../model/index.ts'
import { thumbnailBytes } from '../report/thumbnails.ts'
import { HttpError } from './http-error.ts'
import type { Answers, Example, Outcome, Settings, Task } from './tasks.ts'

// A drawing is a program, which can take for ever, and is no picture that a model was trained on.
sharp.block({ operation: ['VipsForeignLoadSvg', 'VipsForeignLoadPdf'] })

interface Opened {
  readonly model: Model
  readonly index: Index
}

let opened: Promise<Opened> | undefined

async function open({ model: directory, index: folder, gallery, device }: Settings): Promise<Opened> {
  const model = await loadModel(directory, { device })
  if (gallery !== undefined) await createIndex(model, gallery, folder)
  return { model, index: await openIndex(folder, model) }
}

/** Opens model and index with the first task, and keeps them. */
export default async function work({
  settings,
  task,
}: {
  readonly settings: Settings
  readonly task: Task
}): Promise<Outcome<Answers[Task['kind']]>> {
  try {
    opened ??= open(settings)
    return { value: await answer(await opened, task) }
  } catch (error) {
    if (!(error instanceof IsometryError)) throw error
    return { error: error.message, status: error instanceof HttpError ? error.status : 400 }
  }
}

/** Side of the pictures that a page shows, in pixels, for screens with two to a point. */
const SIDE = 320

async function answer({ model, index }: Opened, task: Task): Promise<Answers[Task['kind']]> {
  switch (task.kind) {
    case 'about': {
      const { dimension, input, calibration } = model.description
      return { items: index.size, columns: index.columns, metric: model.metric.name, dimension, input, calibration }
    }
    case 'embed': {
      const { data } = await model.embed(await sourceOf(task.example, model))
      return { embedding: Array.from(data as Float32Array) }
    }
    case 'search': {
      const { k, where } = task
      const [found] = await index.search(await sourceOf(task.example, model), { k, where })
      return { matches: found!.matches }
    }
    case 'compare': {
      const [a, b] = [await sourceOf(task.a, model), await sourceOf(task.b, model)]
      return model.compare(a, b).catch((error: Error) => {
        // It is not the examples that are wrong then: they have been read.
        throw model.description.calibration ? error : new HttpError(409, error.message)
      })
    }
    case 'picture': {
      const entry = await index.entry(task.row).catch(unlessMissing)
      const made = entry?.path === undefined ? undefined : await thumbnailBytes(entry.path, SIDE, entry.box)
      return made?.bytes ?? null
    }
  }
}

/** One example that lies nowhere, so that nothing in the index is taken for it. */
async function sourceOf(example: Example, { description: { input } }: Model): Promise<Source> {
  const name = '\0asked'
  if ('vector' in example) {
    const { length } = example.vector
    if (input.kind !== 'vector' || input.dimension !== length) {
      throw new UsageError(`The model takes ${describeInput(input)}, found a vector of ${length} numbers.`)
    }
    return vectors(Float32Array.from(example.vector), { dimension: length, names: [name] })
  }
  if (input.kind !== 'image') throw new UsageError(`The model takes ${describeInput(input)}, found an image.`)
  const data = await decodeImage(example.image, input)
  const { channels, height, width } = input
  return {
    input,
    length: 1,
    item: () => name,
    classes: [],
    labels: Int32Array.of(-1),
    fingerprint: name,
    read: async () => ({ dtype: 'uint8', shape: [1, channels, height, width], data }),
  }
}

/** An item that is not there has no picture. */
function unlessMissing(error: unknown): undefined {
  if (!(error instanceof UsageError)) throw error
}
