/** Variance, invariance and covariance regularisation. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { euclidean } from '../metrics/euclidean.ts'
import type { Metric } from '../metrics/metric.ts'
import { checkNotNegative } from '../settings.ts'
import type { Loss } from './loss.ts'
import { viewsOf } from './self-supervised.ts'

export interface VicregOptions {
  /** What searches and watching measure with; the loss itself compares views by their squared differences. `euclidean` if left out. */
  readonly metric?: Metric
  /** λ ≥ 0; 25 if left out. */
  readonly invariance?: number
  /** μ ≥ 0; 25 if left out. */
  readonly variance?: number
  /** ν ≥ 0; 1 if left out. */
  readonly covariance?: number
}

/** Added to a variance before its root. */
const EPSILON = 1e-4

/**
 * VICReg: two views of an example alike, every dimension varied, no two dimensions alike. No labels and no negatives.
 *
 *   L = λ mean (z − z′)² + μ/2 Σ_{z, z′} mean_j max(1 − √(var z_j + ε), 0) + ν/d Σ_{z, z′} Σ_{i ≠ j} cov(z)²ᵢⱼ
 *
 * Bardes, Ponce, LeCun, "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning", 2022, eq. 1 to
 * 6, the two variances averaged as the reference does. Takes pairs, or batches of two views.
 *
 * @throws UsageError if a weight is negative; when it is built, if there are not two views, or there are references.
 */
export function vicreg({
  metric = euclidean,
  invariance = 25,
  variance = 25,
  covariance = 1,
}: VicregOptions = {}): Loss {
  checkNotNegative({ invariance, variance, covariance })
  return {
    name: 'vicreg',
    metric,
    settings: { invariance, variance, covariance },
    over: 'batch',
    views: 2,
    build(examples) {
      if (examples.kind === 'labelled' && examples.references) {
        throw new UsageError('vicreg compares the views of one batch, found references. Use ntxent with them.')
      }
      const views = viewsOf(examples, 'vicreg')
      const [n, d] = views[0].shape as [number, number]
      if (n < 2) throw new UsageError('vicreg needs two examples at least: one has no variance.')
      const alike = views[0].sub(views[1]).square().mean()
      const parts = views.map((view) => {
        const centred = view.sub(view.mean([0], true))
        const variances = centred.sumSquare([0]).div(n - 1)
        const flat = variances.add(EPSILON).sqrt().neg().add(1).relu().mean().div(2)
        const together = centred
          .transpose()
          .matmul(centred)
          .div(n - 1)
        const alone = variances.square().sum()
        return flat.mul(variance).add(together.square().sum().sub(alone).div(d).mul(covariance))
      }) as [Value, Value]
      return { value: alike.mul(invariance).add(parts[0]).add(parts[1]) }
    },
  }
}
