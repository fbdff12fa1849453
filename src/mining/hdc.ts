/** The hardest share of all pairs. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { FAR } from './extremes.ts'
import type { Miner } from './miner.ts'

export interface HdcOptions {
  /** The share of the pairs of each sign that is picked, above 0 and at most 1; 0.5 if left out. */
  readonly share?: number
}

/**
 * The farthest positives and the nearest negatives of the whole batch, ⌈share × count⌉ of each; more where distances are equal.
 *
 * Yuan, Yang, Zhang, "Hard-Aware Deeply Cascaded Embedding", 2017, section 3.3.
 *
 * @throws UsageError if the share is out of range.
 */
export function hdc({ share = 0.5 }: HdcOptions = {}): Miner {
  if (!(share > 0 && share <= 1)) throw new UsageError(`The share is ${share}; expected above 0 and at most 1.`)
  return {
    name: 'hdc',
    settings: { share },
    select({ distances, same, other }) {
      const known = distances.detach()
      return {
        kind: 'pairs',
        positive: hardest(known, same, share),
        negative: hardest(known.neg(), other, share),
      }
    },
  }
}

/** 1 for the largest share of what counts, 0 elsewhere: [n, m]. */
function hardest(hardness: Value, counted: Value, share: number): Value {
  const [n, m] = hardness.shape as [number, number]
  const weight = counted.cast('float32')
  const open = hardness.add(weight.sub(1).mul(FAR)).reshape([n * m])
  const sorted = open.topK(n * m, 0).values
  // Rounded up, but not by the rounding of the product.
  const count = weight.sum().mul(share).sub(1e-4).cast('int64')
  const bound = sorted.gather(count.reshape([1]).minimum(n * m - 1))
  return weight.mul(hardness.greaterEqual(bound).cast('float32'))
}
