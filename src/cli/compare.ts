/** `isometry compare` */
import { loadModel } from '../model/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { interruptible, warn } from './outcome.ts'

export async function compare(
  directory: string,
  a: string,
  b: string,
  options: DeviceArguments & { json?: boolean },
): Promise<void> {
  const model = await loadModel(directory, { warn, signal: interruptible(), ...computeOptions(options) })
  const found = await model.compare(a, b)
  await model.release()
  if (options.json) {
    process.stdout.write(`${JSON.stringify(found)}\n`)
    return
  }
  const { same, distance, threshold, falsePositiveRate } = found
  process.stdout.write(
    `${same ? 'same' : 'different'}: distance ${distance.toFixed(4)}, same up to ${threshold.toFixed(4)} (false positive rate ${falsePositiveRate})\n`,
  )
}
