/** A trained model: its encoder, and the metric it was trained in, which everything it does uses. */
import { compile } from '../compile.ts'
import {
  type ColumnOptions,
  itemsOf,
  labelsOf,
  type Named,
  openSource,
  type Source,
  type Tuples,
} from '../data/index.ts'
import { resolveDevice } from '../device.ts'
import { UsageError } from '../errors.ts'
import { type Calibration, calibrate, type Evaluation, type TupleEvaluation } from '../evaluation/index.ts'
import { input } from '../graph/value.ts'
import { describeInput, type Input } from '../inputs/index.ts'
import { metricsByName } from '../metrics/by-name.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions, Device } from '../runtime/session.ts'
import { nearest } from '../search/index.ts'
import type { Tensor } from '../tensor.ts'
import type { Description } from './description.ts'
import { type ModelFiles, readModelDirectory, replaceDescription, writeModelDirectory } from './directory.ts'
import { fingerprintOf } from './fingerprint.ts'
import { itselfIn } from './itself.ts'
import { readMetric } from './metric.ts'
import { type GradedItem, relevanceOf } from './relevance.ts'
import { embedSides, evaluateExamples, openSides } from './sides.ts'

/** Examples that are open already, or paths of images and folders of them. */
export type SourceLike = Source | Named

/** Which side of a comparison examples are on. They are embedded alike, unless queries alone are adapted. */
export type Role = 'query' | 'gallery'

/** The examples nearest to a query, nearest first. */
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

export interface EvaluateModelOptions {
  /** What queries are compared with; every other example of those given if left out. */
  readonly gallery?: SourceLike | undefined
  /** What is relevant to each query, by name; the others of its class if left out. */
  readonly relevance?: readonly GradedItem[] | undefined
  /** Measures of retrieval alone, which takes less time; all if left out. */
  readonly only?: 'retrieval' | undefined
}

export interface CalibrateModelOptions {
  /** The share of different pairs that may count as the same, above 0 and below 1. */
  readonly falsePositiveRate: number
  /** What examples are paired with; each other if left out. */
  readonly gallery?: SourceLike | undefined
}

/** Whether two examples are the same, and by what. */
export interface Comparison {
  readonly same: boolean
  /** Like the threshold, in the model's metric and its unit. */
  readonly distance: number
  readonly threshold: number
  readonly falsePositiveRate: number
}

/**
 * What a model does; all of it in its own metric. Missing and unusable examples are a DataError, those of another form than
 * the encoder takes a UsageError.
 */
export interface Model {
  readonly metric: Metric
  /** What the model says of itself, its calibration among it once there is one. */
  readonly description: Description
  /** Every step of training, as a line of JSON each; '' if it was not kept. */
  readonly history: string
  /** SHA-256, in hexadecimal, of what embeds a gallery and of the metric: models of the same can search the same index. */
  readonly fingerprint: string
  /** Where it computes. */
  readonly compute: ComputeOptions
  /** The settings of `isometry train` that make it again, as JSON; undefined where another program made it. */
  readonly config: string | undefined
  /** Examples in the form that the encoder takes. @throws UsageError if they are of another. */
  open(examples: SourceLike): Promise<Source>
  /**
   * One embedding for each example, [n, d] float32.
   *
   * @param role `query` if left out. Where queries alone are adapted, those of a gallery are its vectors themselves.
   */
  embed(examples: SourceLike, options?: { readonly role?: Role }): Promise<Tensor>
  /** The distance from one example to another: that of a query to one of a gallery, where those are embedded differently. */
  distance(a: SourceLike, b: SourceLike): Promise<number>
  /**
   * How well examples of one class are each other's nearest neighbours.
   *
   * @throws DataError if nothing can be found, or the relevance names an item that is not there.
   */
  evaluate(examples: SourceLike, options?: EvaluateModelOptions): Promise<Evaluation>
  /** How well distances agree with tuples. */
  evaluate(tuples: Tuples): Promise<TupleEvaluation>
  /**
   * Finds the distance up to which two examples are the same, and keeps it; `save` writes it.
   *
   * @throws DataError if there are too few pairs of different classes for the rate, or none of one class.
   */
  calibrate(examples: SourceLike, options: CalibrateModelOptions): Promise<Calibration>
  /** Whether two examples are the same, by the calibrated threshold. @throws UsageError if the model is not calibrated. */
  same(a: SourceLike, b: SourceLike): Promise<boolean>
  /** The same with distance and threshold. @throws UsageError if the model is not calibrated. */
  compare(a: SourceLike, b: SourceLike): Promise<Comparison>
  /**
   * The k examples of the gallery nearest to each query (5 if left out). A query that is itself a file of the gallery is
   * not matched with itself, nor is a vector that has the same name there.
   */
  search(queries: SourceLike, gallery: SourceLike, options?: { readonly k?: number }): Promise<SearchResult[]>
  /**
   * Writes the model as a directory.
   *
   * @throws DataError if it exists and `force` is not set, or cannot be written.
   */
  save(directory: string, options?: SaveOptions): Promise<void>
  /** Gives the runtime's memory back. The model cannot be used afterwards. */
  release(): Promise<void>
}

export interface SaveOptions {
  /** Whether a model that is there is replaced; false if left out. */
  readonly force?: boolean
  /** Settings of `isometry train` as JSON, kept with the model as `config.json`. */
  readonly config?: string | undefined
}

export interface ModelOptions extends Omit<ComputeOptions, 'device'> {
  /** Where to compute; `auto` takes the fastest there is. `cpu` if left out. */
  readonly device?: Device | 'auto' | undefined
  /** Which columns of tables are what. */
  readonly columns?: ColumnOptions | undefined
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

/** Writes a calibration into the directory of a model, and nothing else there. */
export async function storeCalibration(directory: string, calibration: Calibration): Promise<void> {
  const { description } = await readModelDirectory(directory)
  await replaceDescription(directory, { ...description, calibration })
}

/** A model of what its directory holds. */
export async function createModel(
  files: ModelFiles,
  { threads, device = 'cpu', onFallback, columns, warn, signal }: ModelOptions = {},
): Promise<Model> {
  const compute = { threads, device: await resolveDevice(device), onFallback }
  let { description } = files
  let fingerprint: string | undefined
  const metric = files.metric ? readMetric(files.metric, 'metric.onnx') : metricsByName.get(description.metric)!
  const sides = await openSides(files.encoder, { ...description, metric }, { ...compute, signal })

  async function open(source: SourceLike): Promise<Source> {
    const { input } = description
    if (typeof source === 'string' || !('read' in source)) {
      return openSource(source, { ...columns, input, ...(warn && { warn }), ...(signal && { signal }) })
    }
    checkForm(source.input, input)
    return source
  }

  async function evaluate(examples: SourceLike, options?: EvaluateModelOptions): Promise<Evaluation>
  async function evaluate(tuples: Tuples): Promise<TupleEvaluation>
  async function evaluate(
    examples: SourceLike | Tuples,
    { gallery, relevance: table, only }: EvaluateModelOptions = {},
  ) {
    const isTuples = typeof examples !== 'string' && 'examples' in examples
    if (isTuples) checkForm(examples.input, description.input)
    const opened = isTuples ? examples : await open(examples)
    const compared = gallery === undefined ? undefined : await open(gallery)
    const relevance =
      table && !('examples' in opened)
        ? relevanceOf(table, [opened, examples], [compared ?? opened, gallery ?? examples])
        : undefined
    return evaluateExamples(sides, opened, metric, { gallery: compared, relevance, only, ...compute })
  }

  async function distance(a: SourceLike, b: SourceLike): Promise<number> {
    const [left, right] = [await open(a), await open(b)]
    for (const { length } of [left, right]) {
      if (length !== 1) throw new UsageError(`A distance is that of two examples, found ${length} for one of them.`)
    }
    const feeds = { a: await sides.query.embed(left), b: await sides.gallery.embed(right) }
    const [from, to] = ['a', 'b'].map((name) => input(name, 'float32', [1, description.dimension]))
    const program = await compile({ distance: metric.pairwise(from!, to!) }, compute)
    const { distance } = await program.run(feeds)
    await program.release()
    return Math.max(distance!.data[0] as number, metric.range[0])
  }

  async function compare(a: SourceLike, b: SourceLike): Promise<Comparison> {
    if (!description.calibration) {
      throw new UsageError(
        'The model is not calibrated, so it does not know which distance is small. Run `isometry calibrate` on labelled examples that it was not trained on.',
      )
    }
    const { threshold, falsePositiveRate } = description.calibration
    const found = await distance(a, b)
    return { same: found <= threshold, distance: found, threshold, falsePositiveRate }
  }

  return {
    metric,
    get description() {
      return description
    },
    history: files.history,
    config: files.config,
    get fingerprint() {
      fingerprint ??= fingerprintOf(files)
      return fingerprint
    },
    compute,
    open,
    embed: async (source, { role = 'query' } = {}) => sides[role].embed(await open(source)),
    evaluate,
    distance,
    async calibrate(examples, { falsePositiveRate, gallery }) {
      const compared = gallery === undefined ? undefined : await open(gallery)
      const { queries, ...others } = await embedSides(sides, await open(examples), compared)
      const calibration = await calibrate(queries, metric, { falsePositiveRate, ...others, ...compute })
      description = { ...description, calibration }
      return calibration
    },
    compare,
    same: async (a, b) => (await compare(a, b)).same,
    async search(querySource, gallerySource, { k = 5 } = {}) {
      const [queries, gallery] = [await open(querySource), await open(gallerySource)]
      const [items, galleryItems] = [itemsOf(queries), itemsOf(gallery)]
      // An item may be in the gallery more than once; so many more neighbours are asked for, and left out again.
      const itself = await itselfIn(queries, gallery)
      const copies = itself.reduce((most, { length }) => Math.max(most, length), 0)
      const found = await nearest(await sides.query.embed(queries), await sides.gallery.embed(gallery), metric, {
        k: k + copies,
        ...compute,
      })
      const labels = labelsOf(gallery)
      return items.map((query, row) => {
        const columns = Array.from({ length: found.k }, (_, i) => row * found.k + i)
        const others = columns.filter((i) => !itself[row]!.includes(found.indices[i]!)).slice(0, k)
        return {
          query,
          matches: others.map((i) => {
            const index = found.indices[i]!
            return { item: galleryItems[index]!, label: labels[index]!, distance: found.distances[i]! }
          }),
        }
      })
    },
    save: (directory, { force = false, config = files.config } = {}) =>
      writeModelDirectory(directory, { ...files, description, config }, force),
    release: () => sides.release(),
  }
}

/** @throws UsageError if examples are of another form than the encoder takes. */
function checkForm(found: Input, expected: Input): void {
  const [have, want] = [describeInput(found), describeInput(expected)]
  if (have !== want) throw new UsageError(`The model takes ${want}, found ${have}.`)
}
