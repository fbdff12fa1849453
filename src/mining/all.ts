/** No choice: every triplet of the batch. */
import type { Miner } from './miner.ts'

/** All triplets (anchor, positive, negative) of the batch. */
export function all(): Miner {
  return { name: 'all', select: () => ({ kind: 'all' }) }
}
