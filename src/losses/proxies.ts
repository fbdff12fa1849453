/** Losses against proxies of the classes: ProxyNCA, Proxy-Anchor, SoftTriple. */
import type { Metric } from '../metrics/metric.ts'
import { cosine, squaredChord } from '../metrics/sphere.ts'
import { checkCount, checkPositive } from '../settings.ts'
import { checkMargin, onlyFor } from './checks.ts'
import { crossEntropy, fromClasses } from './from-classes.ts'
import type { Loss, Reducer } from './loss.ts'
import { mean } from './reducers.ts'
import { logSumExp } from './rows.ts'
import { cosines, cosinesByCenter } from './softmax-margin.ts'

export interface ProxyNcaOptions {
  /** Smaller is closer; `squaredChord` if left out. */
  readonly metric?: Metric
  /** What distances are multiplied with, above 0; 1 if left out. */
  readonly softmaxScale?: number
  readonly reduce?: Reducer
}

/**
 * ProxyNCA: neighbourhood component analysis against a proxy for each class.
 *
 *   L = −log( exp(−s·d(x, p_y)) / Σⱼ exp(−s·d(x, pⱼ)) )
 *
 * Movshovitz-Attias, Toshev, Leung, Ioffe, Singh, "No Fuss Distance Metric Learning using Proxies", 2017, eq. 4, with the own
 * proxy in the denominator, as Teh, DeVries, Taylor, "ProxyNCA++", 2020, eq. 5.
 *
 * @throws UsageError if the scale is not above 0.
 */
export function proxyNCA({ metric = squaredChord, softmaxScale = 1, reduce = mean }: ProxyNcaOptions = {}): Loss {
  checkPositive({ softmaxScale })
  return fromClasses({
    name: 'proxyNCA',
    metric,
    settings: { softmaxScale },
    reduce,
    formula: ({ embeddings, weights, own }) => crossEntropy(metric.matrix(embeddings, weights).mul(-softmaxScale), own),
  })
}

export interface ProxyAnchorOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /** δ, a difference of cosines; 0.1 if left out. */
  readonly margin?: number
  /** α > 0; 32 if left out. */
  readonly alpha?: number
}

/**
 * Proxy-Anchor: each class's proxy is an anchor for all examples of the batch.
 *
 *   L = 1/|P⁺| Σ_{p ∈ P⁺} log(1 + Σ_{x of p} exp(−α (s(x, p) − δ))) + 1/|P| Σ_p log(1 + Σ_{x not of p} exp(α (s(x, p) + δ)))
 *
 * with the proxies P⁺ of classes in the batch. Kim, Kim, Cho, Kwak, "Proxy Anchor Loss for Deep Metric Learning", 2020, eq. 4.
 * It is one number for a batch; nothing is reduced.
 *
 * @throws UsageError if the metric is not cosine, α is not above 0, or the margin is out of range.
 */
export function proxyAnchor({ metric = cosine, margin = 0.1, alpha = 32 }: ProxyAnchorOptions = {}): Loss {
  onlyFor(metric, cosine, 'proxyAnchor')
  checkMargin(margin, metric)
  checkPositive({ alpha })
  return fromClasses({
    name: 'proxyAnchor',
    metric,
    settings: { margin, alpha },
    reduce: mean,
    formula({ embeddings, weights, own }) {
      const near = cosines(embeddings, weights)
      const classes = weights.shape[0]!
      const positives = logSumExp(near.sub(margin).mul(-alpha).transpose(), own.transpose()).softplus()
      const negatives = logSumExp(near.add(margin).mul(alpha).transpose(), own.not().transpose()).softplus()
      const present = own.cast('float32').max([0]).sum().maximum(1)
      return positives.sum().div(present).add(negatives.sum().div(classes))
    },
  })
}

export interface SoftTripleOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /** How many centres a class has; 10 if left out. */
  readonly centersPerClass?: number
  /** λ > 0; 20 if left out. */
  readonly la?: number
  /** γ > 0, how softly the nearest centre is chosen; 0.1 if left out. */
  readonly gamma?: number
  /** δ, a difference of cosines; 0.01 if left out. */
  readonly margin?: number
  readonly reduce?: Reducer
}

/**
 * SoftTriple: the softmax over classes with several centres each, the nearest of them chosen softly.
 *
 *   s_c = Σₖ softmaxₖ(cos(x, w_ck)/γ) cos(x, w_ck),  L = −log( exp(λ(s_y − δ)) / (exp(λ(s_y − δ)) + Σ_{j ≠ y} exp(λ sⱼ)) )
 *
 * Qian, Shang, Sun, Hu, Li, Jin, "SoftTriple Loss: Deep Metric Learning Without Triplet Sampling", 2019, eq. 7 and 8. Its
 * regulariser is `sparseCenters`.
 *
 * @throws UsageError if the metric is not cosine or a setting is out of range.
 */
export function softTriple({
  metric = cosine,
  centersPerClass = 10,
  la = 20,
  gamma = 0.1,
  margin = 0.01,
  reduce = mean,
}: SoftTripleOptions = {}): Loss {
  onlyFor(metric, cosine, 'softTriple')
  checkCount({ centersPerClass })
  checkPositive({ la, gamma })
  checkMargin(margin, metric)
  return fromClasses({
    name: 'softTriple',
    metric,
    settings: { centersPerClass, la, gamma, margin },
    reduce,
    perClass: centersPerClass,
    formula({ embeddings, weights, own }) {
      const near = cosinesByCenter(embeddings, weights, centersPerClass)
      const greatest = near.reduce((most, each) => most.maximum(each)).detach()
      const shares = near.map((each) => each.sub(greatest).div(gamma).exp())
      const total = shares.reduce((sum, each) => sum.add(each))
      const soft = near
        .map((each, k) => each.mul(shares[k]!))
        .reduce((sum, each) => sum.add(each))
        .div(total)
      return crossEntropy(soft.sub(own.cast('float32').mul(margin)).mul(la), own)
    },
  })
}
