/** Every miner by its library name, with its settings, as files and command lines have them. */
import { UsageError } from '../errors.ts'
import { checkSettings, type Kind, type SettingValues } from '../settings.ts'
import * as miners from './index.ts'

interface Named {
  readonly settings: Readonly<Record<string, Kind>>
  make(options: never): miners.Miner
}

const number = 'number' as const
const strategies = ['easy', 'hard', 'semihard', 'all'] as const

const table: Readonly<Record<string, Named>> = {
  all: { settings: {}, make: miners.all },
  batchHard: { settings: {}, make: miners.batchHard },
  batchEasyHard: { settings: { positives: strategies, negatives: strategies }, make: miners.batchEasyHard },
  semiHard: { settings: { margin: number }, make: miners.semiHard },
  tripletMargin: {
    settings: { margin: number, triplets: ['all', 'hard', 'semihard', 'easy'] },
    make: miners.tripletMargin,
  },
  pairMargin: { settings: { posMargin: number, negMargin: number }, make: miners.pairMargin },
  multiSimilarity: { settings: { epsilon: number }, make: miners.multiSimilarity },
  angular: { settings: { angle: number }, make: miners.angular },
  distanceWeighted: { settings: { cutoff: number, nonzeroLossCutoff: number }, make: miners.distanceWeighted },
  hdc: { settings: { share: number }, make: miners.hdc },
  uniformHistogram: {
    settings: { bins: number, posPerBin: number, negPerBin: number },
    make: miners.uniformHistogram,
  },
}

export const minerNames: readonly string[] = Object.keys(table)

/**
 * A miner by its name.
 *
 * @throws UsageError if there is none, or it has no such setting.
 */
export function minerByName(name: string, settings: SettingValues = {}): miners.Miner {
  const found = Object.hasOwn(table, name) ? table[name] : undefined
  if (!found) throw new UsageError(`There is no mining ${name}. Choose among ${minerNames.join(', ')}.`)
  checkSettings(`The mining ${name}`, found.settings, settings)
  return found.make(settings as never)
}
