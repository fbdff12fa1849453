/** `isometry evaluate` */
import { loadModel } from '../model/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { interruptible, warn } from './outcome.ts'
import { table } from './table.ts'

export async function evaluate(
  directory: string,
  data: string,
  options: DeviceArguments & { gallery?: string; json?: boolean },
): Promise<void> {
  const model = await loadModel(directory, { warn, signal: interruptible(), ...computeOptions(options) })
  const result = await model.evaluate(data, options.gallery === undefined ? {} : { gallery: options.gallery })
  await model.release()
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  process.stdout.write(
    `${result.queries} queries of ${result.items} ${model.description.input.kind}s, metric ${result.metric}\n`,
  )
  process.stdout.write(`${table({ model: result })}\n`)
}
