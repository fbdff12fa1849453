/** Opens whatever examples a path names, in the form that an encoder takes. */
import { UsageError } from '../errors.ts'
import { describeInput, type Input } from '../inputs/input.ts'
import { openImages } from './image-folder.ts'
import type { Source } from './source.ts'
import { isVectorsFile, openVectorsFile } from './vectors-file.ts'

export interface OpenOptions {
  /** What every example is brought to. */
  readonly input: Input
  /** Told of each file that is left out; `console.warn` by default. */
  readonly warn?: (message: string) => void
  /** Stops the reading. */
  readonly signal?: AbortSignal
  /** How many bytes of decoded images are kept in memory; see `OpenImagesOptions`. */
  readonly memory?: number | undefined
}

/**
 * Images, and folders of images, as `openImages` reads them; or a file of vectors, as `openVectorsFile` does.
 *
 * @throws DataError as those; UsageError if there are no such examples of the form of `input`.
 */
export async function openSource(paths: string | readonly string[], options: OpenOptions): Promise<Source> {
  const { input, ...rest } = options
  const named = typeof paths === 'string' ? [paths] : paths
  const expected = `${named.join(', ')} should hold ${describeInput(input)}`
  const file = named.find(isVectorsFile)
  if (input.kind === 'image') {
    if (file !== undefined)
      throw new UsageError(`${expected}, and ${file} holds vectors. Name images, or folders of them.`)
    return openImages(named, { input, ...rest })
  }
  if (file === undefined) throw new UsageError(`${expected}, which image files do not. Name a file of vectors.`)
  if (named.length > 1)
    throw new UsageError(`Vectors are in one file, found ${named.length} names: ${named.join(', ')}.`)
  const source = await openVectorsFile(file)
  if (source.input.dimension === input.dimension) return source
  throw new UsageError(
    `${expected}, and has ${describeInput(source.input)}. Name vectors of the kind that the model takes.`,
  )
}
