/** The manifold similarity loss. */
import { UsageError } from '../errors.ts'
import { concat, type Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { unit } from '../metrics/unit.ts'
import { checkNotNegative } from '../settings.ts'
import { onlyFor } from './checks.ts'
import { fromClasses } from './from-classes.ts'
import type { Loss } from './loss.ts'
import { mean } from './reducers.ts'
import { logSumExp, numbers } from './rows.ts'

export interface ManifoldOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /** α, how far the random walk reaches, from 0 to 0.95; 0.8 if left out. */
  readonly alpha?: number
  /** How much closer the own proxy has to be; 0.0005 if left out. */
  readonly margin?: number
  /** λ ≥ 0, the weight of the context beside the intrinsic similarity; 1 if left out. */
  readonly contextWeight?: number
}

/** The inverse's series is summed up until what is left of it is less than this. */
const ENOUGH = 1e-7
/** Of the exponential that makes a similarity of a cosine. */
const SHARPNESS = 2

/**
 * Manifold similarity loss: an example is closer to the proxy of its class than to any other, by a random walk over examples
 * and proxies (intrinsic), and by the likeness of their walks (context).
 *
 *   F = (1 − α) (I − α D^{−1/2} S D^{−1/2})^{−1},  S = exp(2 max(cos, 0)) off the diagonal
 *   L = mean log(1 + Σⱼ exp(Fᵢⱼ − F_iy + m)), over proxies with Fᵢⱼ − F_iy + m > 0, and the same of cos(Fᵢ, Fⱼ), times λ
 *
 * Aziere and Todorovic, "Ensemble Deep Manifold Similarity Learning using Hard Proxies", 2019, eq. 1 to 9. The inverse is the
 * product of I + B^(2ᵏ), B = α D^{−1/2} S D^{−1/2}. It is one number for a batch; nothing is reduced.
 *
 * @throws UsageError if the metric is not cosine or a setting is out of range.
 */
export function manifold({
  metric = cosine,
  alpha = 0.8,
  margin = 5e-4,
  contextWeight = 1,
}: ManifoldOptions = {}): Loss {
  onlyFor(metric, cosine, 'manifold')
  if (!(alpha >= 0 && alpha <= 0.95)) throw new UsageError(`alpha is ${alpha}; expected 0 to 0.95.`)
  checkNotNegative({ margin, contextWeight })
  return fromClasses({
    name: 'manifold',
    metric,
    settings: { alpha, margin, contextWeight },
    reduce: mean,
    formula({ embeddings, weights, own }) {
      const [n, classes] = own.shape as [number, number]
      const walk = randomWalk(concat([embeddings, weights], 0), alpha)
      const [ofExamples, ofProxies] = [walk.slice(0, 0, n), walk.slice(0, n, n + classes)]
      const intrinsic = ofExamples.slice(1, n, n + classes)
      const context = unit(ofExamples).matmul(unit(ofProxies).transpose())
      const cost = (near: Value) => {
        const violation = near.sub(near.mul(own.cast('float32')).sum([1], true)).add(margin)
        return logSumExp(violation, own.not().and(violation.greaterEqual(0)))
          .softplus()
          .mean()
      }
      return cost(intrinsic).add(cost(context).mul(contextWeight))
    },
  })
}

/** Where a walk from each row ends, which goes on with the probability α: [k, k]. */
function randomWalk(rows: Value, alpha: number): Value {
  const count = rows.shape[0]!
  const row = numbers(count, rows)
  const self = row
    .unsqueeze([1])
    .equal(row.unsqueeze([0]))
    .cast('float32')
  const near = cosine.matrix(rows, rows).neg().add(1).relu()
  const similarity = near.mul(SHARPNESS).exp().mul(self.neg().add(1))
  const degree = similarity.sum([1], true).sqrt().reciprocal()
  const step = similarity.mul(degree).mul(degree.transpose()).mul(alpha)
  let [power, inverse] = [step, step.add(self)]
  for (let terms = 2; alpha ** terms > ENOUGH; terms *= 2) {
    power = power.matmul(power)
    inverse = inverse.add(inverse.matmul(power))
  }
  // The slope of an inverse is made of the inverse, which is symmetric here.
  const known = inverse.detach()
  return known
    .withGradient({ inputs: [step], rule: (upstream) => [known.matmul(upstream).matmul(known)] })
    .mul(1 - alpha)
}
