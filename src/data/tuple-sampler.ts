/** Which tuples make up the next training batch: each once before any comes again. */
import { UsageError } from '../errors.ts'
import { random } from '../random.ts'

export interface TupleSamplerOptions {
  /** Tuples in a batch, at least 1. */
  readonly tuplesPerBatch: number
  /** An integer: equal seeds give equal batches. */
  readonly seed: number
  /** Told when there are fewer tuples than asked for; `console.warn` if left out. */
  readonly warn?: ((message: string) => void) | undefined
}

/** An endless supply of batches, all of one size. */
export interface TupleSampler {
  /** Tuples in a batch. */
  readonly tuples: number
  /** The places of the next batch's tuples, all different. */
  next(): Int32Array<ArrayBuffer>
}

/**
 * Batches of tuples that are given one by one, in a random order that is drawn anew for each pass. What is left over at the
 * end of a pass, too few for a batch, waits for a later one. With fewer than `tuplesPerBatch`, all of them make up each batch.
 *
 * @param length how many tuples there are
 * @throws UsageError if `tuplesPerBatch` is not a whole number of at least 1
 */
export function tupleSampler(
  length: number,
  { tuplesPerBatch, seed, warn = console.warn }: TupleSamplerOptions,
): TupleSampler {
  if (!Number.isInteger(tuplesPerBatch) || tuplesPerBatch < 1) {
    throw new UsageError(`tuplesPerBatch is ${tuplesPerBatch}: it must be an integer of at least 1`)
  }
  const tuples = Math.min(tuplesPerBatch, length)
  if (tuples < tuplesPerBatch) warn(`Each batch has ${tuples} tuples, not ${tuplesPerBatch}: there are no more`)
  const { integer } = random(seed, 'tuple sampler')
  const order = Int32Array.from({ length }, (_, place) => place)
  let start = length
  return {
    tuples,
    next() {
      if (start + tuples > length) {
        for (let i = length - 1; i > 0; i--) {
          const j = integer(i + 1)
          ;[order[i], order[j]] = [order[j]!, order[i]!]
        }
        start = 0
      }
      start += tuples
      return order.slice(start - tuples, start)
    },
  }
}
