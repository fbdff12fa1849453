/** The supervised contrastive loss. */

import { cosine } from '../metrics/sphere.ts'
import { all } from '../mining/all.ts'
import { checkPositive } from '../settings.ts'
import { fromRows } from './from-rows.ts'
import type { Loss } from './loss.ts'
import type { NtxentOptions } from './ntxent.ts'
import { meanNonZero } from './reducers.ts'
import { logSumExp, some } from './rows.ts'

/** As for `ntxent`; the temperature is 0.1 if left out. */
export interface SupconOptions extends NtxentOptions {}

/**
 * Supervised contrastive loss: the mean over an anchor's positives, each against all other examples.
 *
 *   L = −1/|P| Σₚ log( exp(−d(a, p)/τ) / Σₓ exp(−d(a, x)/τ) )
 *
 * Khosla and others, "Supervised Contrastive Learning", 2020, eq. 2.
 *
 * @throws UsageError if the temperature is not above 0.
 */
export function supcon({
  metric = cosine,
  temperature = 0.1,
  mining = all(),
  reduce = meanNonZero,
}: SupconOptions = {}): Loss {
  checkPositive({ temperature })
  return fromRows({
    name: 'supcon',
    metric,
    settings: { temperature },
    mining,
    reduce,
    formula({ distances, same, other, positive }) {
      const closeness = distances.mul(-1 / temperature)
      const everything = logSumExp(closeness, same.or(other))
      const count = positive.sum([1]).maximum(1)
      const own = closeness.mul(positive).sum([1]).div(count)
      return [{ terms: everything.sub(own), weight: some(positive) }]
    },
  })
}
