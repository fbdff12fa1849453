/** `isometry evaluate` */
import type { ColumnOptions } from '../data/index.ts'
import { loadModel } from '../model/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { classTable, figures } from './figures.ts'
import { GALLERY, namedOf, orNone } from './named.ts'
import { interruptible, warn } from './outcome.ts'
import { readRelevance } from './relevance.ts'

export async function evaluate(
  directory: string,
  data: string | undefined,
  options: DeviceArguments &
    ColumnOptions & {
      query?: string
      gallery?: string
      galleryQuery?: string
      relevance?: string
      perClass?: boolean
      json?: boolean
    },
): Promise<void> {
  const relevance = options.relevance === undefined ? undefined : await readRelevance(options.relevance)
  const examples = namedOf(data, options.query)
  const gallery = orNone(options.gallery, options.galleryQuery, GALLERY)
  const model = await loadModel(directory, {
    columns: options,
    warn,
    signal: interruptible(),
    ...computeOptions(options),
  })
  const result = await model.evaluate(examples, { gallery, relevance })
  await model.release()
  if (options.json) {
    const { perClass, ...rest } = result
    process.stdout.write(`${JSON.stringify(options.perClass ? result : rest)}\n`)
    return
  }
  process.stdout.write(
    `${result.queries} queries of ${result.items} ${model.description.input.kind}s, metric ${result.metric}\n\n`,
  )
  process.stdout.write(`${figures(result)}\n`)
  if (result.perClass) process.stdout.write(`\n${classTable(result.perClass, options.perClass)}\n`)
}
