/** `isometry calibrate` */
import type { ColumnOptions } from '../data/index.ts'
import { loadModel, storeCalibration } from '../model/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { namedOf } from './named.ts'
import { interruptible, warn } from './outcome.ts'
import { percent } from './table.ts'

export async function calibrate(
  directory: string,
  data: string | undefined,
  options: DeviceArguments & ColumnOptions & { query?: string; falsePositiveRate: number; json?: boolean },
): Promise<void> {
  const { falsePositiveRate, json } = options
  const examples = namedOf(data, options.query)
  const model = await loadModel(directory, {
    columns: options,
    warn,
    signal: interruptible(),
    ...computeOptions(options),
  })
  const found = await model.calibrate(examples, { falsePositiveRate })
  await model.release()
  await storeCalibration(directory, found)
  if (json) {
    process.stdout.write(`${JSON.stringify(found)}\n`)
    return
  }
  const { threshold, confidence, truePositiveRate, pairs } = found
  const [low, high] = confidence.map((each) => each.toFixed(4))
  process.stdout.write(
    `same up to a distance of ${threshold.toFixed(4)} (95 %: ${low} to ${high}), metric ${model.metric.name}\n` +
      `finds ${percent(truePositiveRate)} of ${pairs.same} pairs of one class, at most ${100 * falsePositiveRate} % of ${pairs.different} different ones\n`,
  )
}
