/** The reference's losses and miners by its names and settings, as ours. */
import * as losses from '../src/losses/index.ts'
import type { Metric } from '../src/metrics/index.ts'
import * as miners from '../src/mining/index.ts'

export type Params = Readonly<Record<string, number | string | boolean>>

interface Given {
  readonly metric: Metric
  readonly reduce: losses.Reducer
  /** A number among the params. */
  readonly p: Readonly<Record<string, number>>
  readonly params: Params
  readonly distance: string
}

/** A similarity as the cosine distance that it stands for. */
const far = (similarity: number) => 1 - similarity

const table: Readonly<Record<string, (given: Given) => losses.Loss>> = {
  triplet: ({ metric, reduce, params, p: { margin } }) =>
    losses.triplet({ metric, margin: margin!, smooth: params.smooth === true, swap: params.swap === true, reduce }),
  cosineMarginTriplet: ({ metric, reduce, p: { m, s } }) =>
    losses.cosineMarginTriplet({ metric, margin: m!, scale: s!, reduce }),
  contrastive: ({ metric, distance, p: { posMargin, negMargin } }) =>
    distance === 'cosineSimilarity'
      ? losses.contrastive({ metric, posMargin: far(posMargin!), negMargin: far(negMargin!) })
      : losses.contrastive({ metric, posMargin: posMargin!, negMargin: negMargin! }),
  ntxent: ({ metric, p: { temperature } }) => losses.ntxent({ metric, temperature: temperature! }),
  supcon: ({ metric, p: { temperature } }) => losses.supcon({ metric, temperature: temperature! }),
  multiSimilarity: ({ metric, p: { alpha, beta, base } }) =>
    losses.multiSimilarity({ metric, alpha: alpha!, beta: beta!, base: far(base!) }),
  circle: ({ p: { m, gamma } }) => losses.circle({ margin: m!, gamma: gamma! }),
  nPairs: ({ metric }) => losses.nPairs({ metric }),
  liftedStructure: ({ metric, p: { posMargin, negMargin } }) =>
    losses.liftedStructure({ metric, posMargin: posMargin!, negMargin: negMargin! }),
  generalizedLiftedStructure: ({ metric, p: { posMargin, negMargin } }) =>
    losses.generalizedLiftedStructure({ metric, posMargin: posMargin!, negMargin: negMargin! }),
  margin: ({ metric, p: { margin, beta, nu } }) => losses.margin({ metric, margin: margin!, beta: beta!, nu: nu! }),
  angular: ({ p: { alpha } }) => losses.angular({ alpha: alpha!, rawNegatives: true }),
  fastAP: ({ metric, p: { bins } }) => losses.fastAP({ metric, bins: bins! }),
  intraPairVariance: ({ p: { posEps, negEps } }) => losses.intraPairVariance({ posEps: posEps!, negEps: negEps! }),
  nca: ({ metric, p: { softmaxScale } }) => losses.nca({ metric, softmaxScale: softmaxScale! }),
  tupletMargin: ({ p: { margin, scale } }) => losses.tupletMargin({ margin: margin!, scale: scale! }),
  // The reference's value is that of the pairs alone.
  snrContrastive: ({ p: { posMargin, negMargin } }) =>
    losses.snrContrastive({ posMargin: posMargin!, negMargin: negMargin!, regularWeight: 0 }),
  dynamicSoftMargin: ({ metric, p: { minValue, bins, momentum } }) =>
    losses.dynamicSoftMargin({ metric, minValue: minValue!, bins: bins!, momentum: momentum! }),
  histogram: ({ p: { bins } }) => losses.histogram({ bins: bins! }),
  rankedList: ({ metric, p: { margin, Tn, Tp, imbalance, alpha } }) =>
    losses.rankedList({
      metric,
      margin: margin!,
      alpha: alpha!,
      imbalance: imbalance!,
      negTemperature: Tn!,
      posTemperature: Tp!,
    }),
  pnp: ({ params, p: { b, alpha, anneal } }) =>
    losses.pnp({ b: b!, alpha: alpha!, anneal: anneal!, variant: params.variant as 'O' }),
  arcface: ({ p: { margin, scale } }) => losses.arcface({ margin: margin!, scale: scale! }),
  cosface: ({ p: { margin, scale } }) => losses.cosface({ margin: margin!, scale: scale! }),
  sphereface: ({ p: { margin, scale } }) => losses.sphereface({ margin: margin!, scale: scale! }),
  subCenterArcface: ({ p: { margin, scale, subCenters } }) =>
    losses.subCenterArcface({ margin: margin!, scale: scale!, subCenters: subCenters! }),
  normalizedSoftmax: ({ p: { temperature } }) => losses.normalizedSoftmax({ temperature: temperature! }),
  largeMarginSoftmax: ({ p: { margin, scale } }) => losses.largeMarginSoftmax({ margin: margin!, scale: scale! }),
  p2sGrad: () => losses.p2sGrad(),
  proxyNCA: ({ metric, p: { softmaxScale } }) => losses.proxyNCA({ metric, softmaxScale: softmaxScale! }),
  proxyAnchor: ({ p: { margin, alpha } }) => losses.proxyAnchor({ margin: margin!, alpha: alpha! }),
  softTriple: ({ p: { centersPerClass, la, gamma, margin } }) =>
    losses.softTriple({ centersPerClass: centersPerClass!, la: la!, gamma: gamma!, margin: margin! }),
}

export function lossOf(name: string, distance: string, params: Params, metric: Metric): losses.Loss | undefined {
  const reduce = params.reducer === 'mean' ? losses.mean : losses.meanNonZero
  return table[name]?.({ metric, distance, reduce, params, p: params as Record<string, number> })
}

export function minerOf(name: string, distance: string, params: Params): miners.Miner | undefined {
  const { margin, triplets, positives, negatives, epsilon, posMargin, negMargin, angle } = params as never
  const unit = (x: number) => (distance === 'cosineSimilarity' ? far(x) : x)
  switch (name) {
    case 'batchHard':
      return miners.batchHard()
    case 'batchEasyHard':
      return miners.batchEasyHard({ positives, negatives })
    case 'tripletMargin':
      return miners.tripletMargin({ margin, triplets })
    case 'multiSimilarity':
      return miners.multiSimilarity({ epsilon })
    case 'pairMargin':
      return miners.pairMargin({ posMargin: unit(posMargin), negMargin: unit(negMargin) })
    case 'angular':
      return miners.angular({ angle })
    default:
      return undefined
  }
}
