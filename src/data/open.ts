/** Opens whatever examples a path names, in the form that an encoder takes. */
import { UsageError } from '../errors.ts'
import { describeInput, type Input } from '../inputs/input.ts'
import { openImages } from './image-folder.ts'
import { type Source, subset } from './source.ts'
import type { ColumnOptions } from './tables/columns.ts'
import { isTableFile, openTable, type Table } from './tables/open-table.ts'
import type { Tuples } from './tuples.ts'
import { isVectorsFile, openVectorsFile } from './vectors-file.ts'

export interface OpenOptions extends ColumnOptions {
  /** What every example is brought to. */
  readonly input: Input
  /** Told of each file that is left out; `console.warn` by default. */
  readonly warn?: (message: string) => void
  /** Stops the reading. */
  readonly signal?: AbortSignal
  /** How many bytes of decoded images are kept in memory; see `OpenImagesOptions`. */
  readonly memory?: number | undefined
}

/** Paths of images, folders of images, a file of vectors or a table; or a query. */
export type Named = Table | readonly string[]

/**
 * Images, and folders of images, as `openImages` reads them; a file of vectors, as `openVectorsFile` does; or a table.
 *
 * @throws DataError as those; UsageError if there are no such examples of the form of `input`, or tuples in place of them.
 */
export async function openSource(named: Named, options: OpenOptions): Promise<Source> {
  const opened = await openExamples(named, options)
  if (!('examples' in opened)) return opened
  throw new UsageError(`${nameOf(named)} holds tuples. Name single examples: images, vectors or a table of them.`)
}

/** The same, tuples among it. */
export async function openExamples(named: Named, options: OpenOptions): Promise<Source | Tuples> {
  const { input, warn, signal, memory } = options
  const reading = { ...(warn && { warn }), ...(signal && { signal }), memory }
  const expected = `${nameOf(named)} should hold ${describeInput(input)}`
  const alone = theOnly(named, (path) => isTableFile(path) || isVectorsFile(path))
  if (alone === undefined) {
    const paths = typeof named === 'string' ? [named] : (named as readonly string[])
    if (input.kind === 'image') return openImages(paths, { input, ...reading })
    throw new UsageError(`${expected}, which image files do not. Name a file of vectors, or a table.`)
  }
  const opened =
    typeof alone === 'string' && isVectorsFile(alone)
      ? ({ kind: 'vectors', examples: await openVectorsFile(alone) } as const)
      : await openTable(alone, options)
  if (opened.kind === 'images') {
    if (input.kind === 'image') return opened.open({ input, ...reading })
    throw new UsageError(`${expected}, and has paths of images. Name a table of vectors.`)
  }
  if (input.kind === 'image') {
    throw new UsageError(`${expected}, and ${nameOf(alone)} holds vectors. Name images, or folders of them.`)
  }
  if (opened.examples.input.dimension === input.dimension) return opened.examples
  throw new UsageError(
    `${expected}, and has ${describeInput(opened.examples.input)}. Name vectors of the kind that the model takes.`,
  )
}

/** Queries and gallery, where the data says itself which is which. */
export function byRole(source: Source): { readonly queries: Source; readonly gallery: Source } | undefined {
  const { gallery } = source
  if (!gallery) return undefined
  const rows = (role: number) => [...gallery.keys()].filter((row) => gallery[row] === role)
  return { queries: subset(source, rows(0)), gallery: subset(source, rows(1)) }
}

/** What to train on and what is held out, where the data says so itself. */
export function bySplit(source: Source): { readonly training: Source; readonly heldOut: Source } | undefined {
  const { heldOut } = source
  if (!heldOut) return undefined
  const rows = (flag: number) => [...heldOut.keys()].filter((row) => heldOut[row] === flag)
  return { training: subset(source, rows(0)), heldOut: subset(source, rows(1)) }
}

/** What one of the names says, where it has to stand alone. */
function theOnly(named: Named, isAlone: (path: string) => boolean): Table | undefined {
  if (typeof named === 'object' && 'query' in named) return named
  const paths = typeof named === 'string' ? [named] : named
  const found = paths.find(isAlone)
  if (found === undefined || paths.length === 1) return found
  throw new UsageError(`${found} is data of its own, found ${paths.length} names: ${paths.join(', ')}. Name it alone.`)
}

function nameOf(named: Named): string {
  if (typeof named === 'string') return named
  return 'query' in named ? 'The query' : named.join(', ')
}
