/** Opens whatever examples a path names, in the form that an encoder takes. */
import { UsageError } from '../errors.ts'
import { describeInput, type Input } from '../inputs/input.ts'
import { openImages } from './image-folder.ts'
import type { Source } from './source.ts'

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
 * Images, and folders of images, as `openImages` reads them.
 *
 * @throws DataError as `openImages`; UsageError if there are no such examples of the form of `input`.
 */
export async function openSource(paths: string | readonly string[], options: OpenOptions): Promise<Source> {
  const { input, ...rest } = options
  const named = typeof paths === 'string' ? [paths] : paths
  if (input.kind === 'image') return openImages(named, { input, ...rest })
  throw new UsageError(
    `${named.join(', ')} should hold ${describeInput(input)}, which image files do not. Name a table.`,
  )
}
