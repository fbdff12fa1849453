/** `isometry evaluate` */
import { loadModel } from '../model/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { classTable, figures } from './figures.ts'
import { interruptible, warn } from './outcome.ts'
import { readRelevance } from './relevance.ts'

export async function evaluate(
  directory: string,
  data: string,
  options: DeviceArguments & { gallery?: string; relevance?: string; perClass?: boolean; json?: boolean },
): Promise<void> {
  const relevance = options.relevance === undefined ? undefined : await readRelevance(options.relevance)
  const model = await loadModel(directory, { warn, signal: interruptible(), ...computeOptions(options) })
  const result = await model.evaluate(data, { gallery: options.gallery, relevance })
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
