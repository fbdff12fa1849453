/** `isometry search` */
import type { ColumnOptions } from '../data/index.ts'
import { loadModel } from '../model/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { GALLERY, namedOf } from './named.ts'
import { interruptible, warn } from './outcome.ts'

export async function search(
  directory: string,
  names: readonly string[],
  options: DeviceArguments &
    ColumnOptions & { query?: string; gallery?: string; galleryQuery?: string; k: number; json?: boolean },
): Promise<void> {
  const { k, json } = options
  const queries = namedOf(names, options.query, ['QUERY', '--query'])
  const gallery = namedOf(options.gallery, options.galleryQuery, GALLERY)
  const model = await loadModel(directory, {
    columns: options,
    warn,
    signal: interruptible(),
    ...computeOptions(options),
  })
  const results = await model.search(queries, gallery, { k })
  await model.release()
  if (json) {
    process.stdout.write(`${JSON.stringify(results)}\n`)
    return
  }
  for (const { query, matches } of results) {
    process.stdout.write(`${query}\n`)
    for (const { item, label, distance } of matches) {
      process.stdout.write(`  ${distance.toFixed(4)}  ${item}${label === null ? '' : `  (${label})`}\n`)
    }
  }
}
