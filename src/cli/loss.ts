/** The loss that `isometry train` is asked for. */
import { UsageError } from '../errors.ts'
import { lossByName, lossesByName, reducerByName } from '../losses/by-name.ts'
import { crossBatchMemory, type Loss, matryoshka, momentumEncoder, selfSupervised } from '../losses/index.ts'
import { metricsByName } from '../metrics/by-name.ts'
import { minerByName } from '../mining/by-name.ts'
import type { Kind, SettingValues } from '../settings.ts'

export interface LossArguments {
  readonly loss: string
  readonly lossSettings?: SettingValues
  readonly metric?: string
  readonly mining: string
  readonly miningSettings?: SettingValues
  readonly reducer?: string
  readonly reducerSettings?: SettingValues
  readonly memory?: number
  readonly matryoshka?: readonly number[]
  readonly selfSupervised?: boolean
  readonly encoderMomentum?: number
  readonly augment?: boolean
  readonly augmentations?: readonly string[]
}

/** Every setting that any loss has, and what kind it is: each is a flag. */
export function settingFlags(): ReadonlyMap<string, Kind> {
  return new Map([...lossesByName.values()].flatMap(({ settings }) => Object.entries(settings)))
}

/** @throws UsageError if something does not exist, or does not go together. */
export function lossOf(options: LossArguments): Loss {
  const given = options as unknown as SettingValues
  const flags = [...settingFlags().keys()].filter((name) => given[name] !== undefined)
  const settings = { ...options.lossSettings, ...Object.fromEntries(flags.map((name) => [name, given[name]])) }
  const twice = flags.find((name) => options.lossSettings && Object.hasOwn(options.lossSettings, name))
  if (twice) throw new UsageError(`${twice} is given as a flag and in --loss-settings. Leave one of them out.`)
  const reduce = options.reducer === undefined ? undefined : reducerByName(options.reducer, options.reducerSettings)
  if (options.reducerSettings && !reduce) throw new UsageError('--reducer-settings belong to a --reducer. Name it.')
  const loss = lossByName(options.loss, settings, {
    metric: options.metric === undefined ? undefined : metricsByName.get(options.metric),
    mining: minerOf(options, settings),
    reduce,
  })
  return combined(loss, options)
}

/** `all` is no choice. Semi-hard is what is in order by less than the loss's margin. */
function minerOf({ mining, miningSettings }: LossArguments, { margin }: SettingValues) {
  if (mining === 'all' && !miningSettings) return undefined
  const shared = mining === 'semiHard' && margin !== undefined ? { margin } : {}
  return minerByName(mining, { ...shared, ...miningSettings })
}

function combined(loss: Loss, options: LossArguments): Loss {
  const { matryoshka: dimensions, memory, encoderMomentum, augment } = options
  if (options.selfSupervised && !augment && !options.augmentations) {
    throw new UsageError('--self-supervised compares two views of each image, and they are the same. Add --augment.')
  }
  let made = loss
  if (dimensions) made = matryoshka(made, { dimensions })
  if (memory !== undefined) made = crossBatchMemory(made, { size: memory })
  if (options.selfSupervised) made = selfSupervised(made)
  if (encoderMomentum !== undefined) made = momentumEncoder(made, { momentum: encoderMomentum })
  return made
}
