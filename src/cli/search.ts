/** `isometry search` */
import type { ColumnOptions, Named } from '../data/index.ts'
import { UsageError } from '../errors.ts'
import { type IndexMatch, loadModel, type Match, type Model, openIndex, type SearchResult } from '../model/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { GALLERY, namedOf, orNone } from './named.ts'
import { interruptible, warn } from './outcome.ts'

interface SearchArguments extends DeviceArguments, ColumnOptions {
  readonly query?: string
  readonly gallery?: string
  readonly galleryQuery?: string
  readonly index?: string
  readonly where?: string
  readonly k: number
  readonly json?: boolean
}

export async function search(directory: string, names: readonly string[], options: SearchArguments): Promise<void> {
  const queries = namedOf(names, options.query, ['QUERY', '--query'])
  const gallery = orNone(options.gallery, options.galleryQuery, GALLERY)
  if ((gallery === undefined) === (options.index === undefined)) {
    const found = gallery === undefined ? 'none' : 'two'
    throw new UsageError(`Name either --gallery or --gallery-query or --index, found ${found} of them.`)
  }
  if (options.where !== undefined && options.index === undefined) {
    throw new UsageError('--where needs --index: only an index has columns. Make one with `isometry index`.')
  }
  const model = await loadModel(directory, {
    columns: options,
    warn,
    signal: interruptible(),
    ...computeOptions(options),
  })
  try {
    const results = gallery
      ? await model.search(queries, gallery, { k: options.k })
      : await inIndex(model, queries, options)
    print(results, options.json)
  } finally {
    await model.release()
  }
}

async function inIndex(model: Model, queries: Named, { index, k, where }: SearchArguments): Promise<SearchResult[]> {
  const opened = await openIndex(index!, model, { warn })
  try {
    return await opened.search(queries, { k, where })
  } finally {
    await opened.release()
  }
}

function print(results: readonly SearchResult[], json?: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(results)}\n`)
    return
  }
  for (const { query, matches } of results) {
    process.stdout.write(`${query}\n`)
    for (const match of matches) {
      const { item, label, distance } = match
      const notes = [...(label === null ? [] : [label]), ...columnsOf(match)]
      process.stdout.write(`  ${distance.toFixed(4)}  ${item}${notes.length > 0 ? `  (${notes.join(', ')})` : ''}\n`)
    }
    if (matches.length === 0) process.stdout.write('  nothing\n')
  }
}

function columnsOf(match: Match): string[] {
  const { metadata = {} } = match as IndexMatch
  return Object.entries(metadata).flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]))
}
