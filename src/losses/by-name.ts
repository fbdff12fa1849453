/** Every loss and reducer by its library name, with its settings, as files and command lines have them. */
import { UsageError } from '../errors.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Miner } from '../mining/miner.ts'
import { checkSettings, type Kind, type SettingValues } from '../settings.ts'
import * as losses from './index.ts'

/** What any loss may be given besides its settings. */
export interface Parts {
  readonly metric?: Metric | undefined
  readonly mining?: Miner | undefined
  readonly reduce?: losses.Reducer | undefined
}

export interface NamedLoss {
  /** The kind of each setting. */
  readonly settings: Readonly<Record<string, Kind>>
  make(options: Readonly<Record<string, unknown>>): losses.Loss
}

/** The options of a loss that are settings, and what kind each is. */
type Kinds<Options> = { readonly [name in keyof Omit<Options, 'metric' | 'mining' | 'reduce'>]-?: Kind }

function named<Options>(make: (options?: Options) => losses.Loss, settings: Kinds<Options>): NamedLoss {
  return { settings, make: (options) => make(options as Options) }
}

const number = 'number' as const
const triplets = { margin: number, smooth: 'boolean', swap: 'boolean' } as const
const pairs = { posMargin: number, negMargin: number } as const
const scaled = { margin: number, scale: number } as const

export const lossesByName: ReadonlyMap<string, NamedLoss> = new Map<string, NamedLoss>(
  Object.entries({
    triplet: named<losses.TripletOptions>(losses.triplet, triplets),
    cosineMarginTriplet: named(losses.cosineMarginTriplet, scaled),
    quadruplet: named(losses.quadruplet, { margin: number, margin2: number }),
    contrastive: named<losses.ContrastiveOptions>(losses.contrastive, pairs),
    ntxent: named(losses.ntxent, { temperature: number }),
    supcon: named(losses.supcon, { temperature: number }),
    multiSimilarity: named(losses.multiSimilarity, { alpha: number, beta: number, base: number }),
    circle: named(losses.circle, { margin: number, gamma: number }),
    nPairs: named(losses.nPairs, {}),
    multipleNegatives: named(losses.multipleNegatives, { scale: number, symmetric: 'boolean' }),
    liftedStructure: named(losses.liftedStructure, pairs),
    generalizedLiftedStructure: named(losses.generalizedLiftedStructure, pairs),
    margin: named(losses.margin, { margin: number, beta: number, learnBeta: ['no', 'one', 'perClass'], nu: number }),
    angular: named(losses.angular, { alpha: number, rawNegatives: 'boolean' }),
    fastAP: named(losses.fastAP, { bins: number }),
    histogram: named(losses.histogram, { bins: number }),
    intraPairVariance: named(losses.intraPairVariance, { posEps: number, negEps: number }),
    nca: named(losses.nca, { softmaxScale: number }),
    tupletMargin: named(losses.tupletMargin, scaled),
    snrContrastive: named(losses.snrContrastive, { ...pairs, regularWeight: number }),
    thresholdConsistentMargin: named(losses.thresholdConsistentMargin, {
      ...pairs,
      posWeight: number,
      negWeight: number,
    }),
    dynamicSoftMargin: named(losses.dynamicSoftMargin, { minValue: number, bins: number, momentum: number }),
    rankedList: named(losses.rankedList, {
      margin: number,
      alpha: number,
      imbalance: number,
      negTemperature: number,
      posTemperature: number,
    }),
    pnp: named(losses.pnp, { variant: ['O', 'Ds', 'Dq', 'Iu', 'Ib'], b: number, alpha: number, anneal: number }),
    coSENT: named(losses.coSENT, { scale: number }),
    angle: named(losses.angle, { scale: number }),
    cosineMse: named(losses.cosineMse, {}),
    vicreg: named(losses.vicreg, { invariance: number, variance: number, covariance: number }),
    arcface: named(losses.arcface, scaled),
    cosface: named(losses.cosface, scaled),
    sphereface: named(losses.sphereface, scaled),
    subCenterArcface: named(losses.subCenterArcface, { ...scaled, subCenters: number }),
    normalizedSoftmax: named(losses.normalizedSoftmax, { temperature: number }),
    largeMarginSoftmax: named(losses.largeMarginSoftmax, scaled),
    p2sGrad: named(losses.p2sGrad, {}),
    instance: named(losses.instance, { scale: number }),
    proxyNCA: named(losses.proxyNCA, { softmaxScale: number }),
    proxyAnchor: named(losses.proxyAnchor, { margin: number, alpha: number }),
    softTriple: named(losses.softTriple, {
      centersPerClass: number,
      la: number,
      gamma: number,
      margin: number,
    }),
    manifold: named(losses.manifold, { alpha: number, margin: number, contextWeight: number }),
  }),
)

/**
 * A loss by its name.
 *
 * @throws UsageError if there is no such loss, it has no such setting, or a part does not go with it.
 */
export function lossByName(
  name: string,
  settings: SettingValues = {},
  { metric, mining, reduce }: Parts = {},
): losses.Loss {
  const found = lossesByName.get(name)
  if (!found) throw new UsageError(`There is no loss ${name}. Choose among ${[...lossesByName.keys()].join(', ')}.`)
  checkSettings(`The loss ${name}`, found.settings, settings)
  const loss = found.make({
    ...settings,
    ...(metric && { metric }),
    ...(mining && { mining }),
    ...(reduce && { reduce }),
  })
  if (mining && !loss.withMining) {
    throw new UsageError(`The loss ${name} takes no mining, found ${mining.name}. Leave it out.`)
  }
  if (reduce && loss.settings?.reduce !== reduce.name) {
    throw new UsageError(
      `The loss ${name} is one number for a batch and takes no reducer, found ${reduce.name}. Leave it out.`,
    )
  }
  return loss
}

const reducers: Readonly<Record<string, { settings: Readonly<Record<string, Kind>>; make(s: never): losses.Reducer }>> =
  {
    mean: { settings: {}, make: () => losses.mean },
    meanNonZero: { settings: {}, make: () => losses.meanNonZero },
    sum: { settings: {}, make: () => losses.sum },
    threshold: { settings: { low: number, high: number }, make: losses.threshold },
    classWeighted: {
      settings: { weights: 'numbers' },
      make: ({ weights }: { weights?: readonly number[] }) => losses.classWeighted(weights ?? []),
    },
    perAnchor: {
      settings: { over: ['mean', 'meanNonZero', 'sum'] },
      make: ({ over = 'mean' }: { over?: string }) => losses.perAnchor(reducerByName(over)),
    },
  }

export const reducerNames: readonly string[] = Object.keys(reducers)

/**
 * A reducer by its name.
 *
 * @throws UsageError if there is none, or it has no such setting.
 */
export function reducerByName(name: string, settings: SettingValues = {}): losses.Reducer {
  const found = Object.hasOwn(reducers, name) ? reducers[name] : undefined
  if (!found) throw new UsageError(`There is no reducer ${name}. Choose among ${reducerNames.join(', ')}.`)
  checkSettings(`The reducer ${name}`, found.settings, settings)
  return found.make(settings as never)
}
