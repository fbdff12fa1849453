/** A trained model: its encoder, and the metric it was trained in, which everything it does uses. */
import { realpath } from 'node:fs/promises'
import { compile } from '../compile.ts'
import { itemsOf, labelsOf, openSource, type Source } from '../data/index.ts'
import { resolveDevice } from '../device.ts'
import { type Evaluation, evaluate } from '../evaluation/index.ts'
import { input } from '../graph/value.ts'
import { metricsByName } from '../metrics/by-name.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions, Device } from '../runtime/session.ts'
import { nearest } from '../search/index.ts'
import type { Tensor } from '../tensor.ts'
import type { Description } from './description.ts'
import { type ModelFiles, readModelDirectory, writeModelDirectory } from './directory.ts'
import { openEmbedder } from './embedder.ts'

/** Examples that are open already, or paths of images and folders of them. */
export type SourceLike = Source | string | readonly string[]

/** The images nearest to a query, nearest first. */
export interface SearchResult {
  readonly query: string
  readonly matches: readonly Match[]
}

export interface Match {
  readonly item: string
  /** The class of the item; null if it has none. */
  readonly label: string | null
  /** In the model's metric and its unit. */
  readonly distance: number
}

/** What a model does; all of it in its own metric. Missing and unusable images are a DataError. */
export interface Model {
  readonly metric: Metric
  readonly description: Description
  /** One embedding for each image, [n, d] float32. */
  embed(images: SourceLike): Promise<Tensor>
  /** The distance between two images. */
  distance(a: string, b: string): Promise<number>
  /**
   * How well images of one class are each other's nearest neighbours.
   *
   * @param gallery what queries are compared with; every other image of `images` if left out.
   */
  evaluate(images: SourceLike, options?: { readonly gallery?: SourceLike }): Promise<Evaluation>
  /**
   * The k images of the gallery nearest to each query (5 if left out). A query that is itself a file of the gallery is
   * not matched with itself.
   */
  search(queries: SourceLike, gallery: SourceLike, options?: { readonly k?: number }): Promise<SearchResult[]>
  /**
   * Writes the model as a directory.
   *
   * @throws DataError if it exists and `force` is not set, or cannot be written.
   */
  save(directory: string, options?: { readonly force?: boolean }): Promise<void>
  /** Gives the runtime's memory back. The model cannot be used afterwards. */
  release(): Promise<void>
}

export interface ModelOptions extends Omit<ComputeOptions, 'device'> {
  /** Where to compute; `auto` takes the fastest there is. `cpu` if left out. */
  readonly device?: Device | 'auto' | undefined
  /** Is told of images that cannot be decoded; they are skipped. */
  readonly warn?: ((message: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens a directory that `Model.save` or `isometry train` wrote.
 *
 * @throws DataError if it is missing, is not a model, or is of a newer format; UsageError if the device is not there.
 */
export async function loadModel(directory: string, options?: ModelOptions): Promise<Model> {
  return createModel(await readModelDirectory(directory), options)
}

/** A model of what its directory holds. */
export async function createModel(
  files: ModelFiles,
  { threads, device = 'cpu', onFallback, warn, signal }: ModelOptions = {},
): Promise<Model> {
  const compute = { threads, device: await resolveDevice(device), onFallback }
  const { description } = files
  const metric = metricsByName.get(description.metric)!
  const embedder = await openEmbedder(files.encoder, description.dimension, { ...compute, signal })

  async function open(source: SourceLike): Promise<Source> {
    if (typeof source !== 'string' && 'read' in source) return source
    return openSource(source, { input: description.input, ...(warn && { warn }), ...(signal && { signal }) })
  }

  return {
    metric,
    description,
    embed: async (source) => embedder.embed(await open(source)),
    async distance(a, b) {
      const pair = await embedder.embed(await open([a, b]))
      const rows = input('rows', 'float32', [2, description.dimension])
      const program = await compile({ distance: metric.pairwise(rows.slice(0, 0, 1), rows.slice(0, 1, 2)) }, compute)
      const { distance } = await program.run({ rows: pair })
      await program.release()
      return Math.max(distance!.data[0] as number, metric.range[0])
    },
    async evaluate(source, { gallery } = {}) {
      const queries = await embedder.embedLabelled(await open(source))
      if (gallery === undefined) return evaluate(queries, metric, compute)
      return evaluate(queries, metric, {
        gallery: await embedder.embedLabelled(await open(gallery)),
        ...compute,
      })
    },
    async search(querySource, gallerySource, { k = 5 } = {}) {
      const [queries, gallery] = [await open(querySource), await open(gallerySource)]
      const [items, galleryItems] = [itemsOf(queries), itemsOf(gallery)]
      const [files, galleryFiles] = [await realPaths(items), await realPaths(galleryItems)]
      // A file may be in the gallery more than once; so many more neighbours are asked for, and left out again.
      const copies = Math.max(...countIn(galleryFiles, files))
      const found = await nearest(await embedder.embed(queries), await embedder.embed(gallery), metric, {
        k: k + copies,
        ...compute,
      })
      const labels = labelsOf(gallery)
      return items.map((query, row) => {
        const columns = Array.from({ length: found.k }, (_, i) => row * found.k + i)
        const others = columns.filter((i) => galleryFiles[found.indices[i]!] !== files[row]).slice(0, k)
        return {
          query,
          matches: others.map((i) => {
            const index = found.indices[i]!
            return { item: galleryItems[index]!, label: labels[index]!, distance: found.distances[i]! }
          }),
        }
      })
    },
    save: (directory, { force = false } = {}) => writeModelDirectory(directory, files, force),
    release: () => embedder.release(),
  }
}

/** Where the items really lie; what is not a file stands for itself. */
function realPaths(items: readonly string[]): Promise<string[]> {
  return Promise.all(items.map((item) => realpath(item).catch(() => item)))
}

/** How often each of `wanted` occurs in `items`. */
function countIn(items: readonly string[], wanted: readonly string[]): number[] {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return wanted.map((item) => counts.get(item) ?? 0)
}
