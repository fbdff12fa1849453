/** Pairs drawn so that all distances are alike in number. */
import { zeros } from '../graph/gradients/rule.ts'
import { constant, type Value } from '../graph/value.ts'
import { checkCount } from '../settings.ts'
import { FAR } from './extremes.ts'
import type { Miner, RandomInputs } from './miner.ts'

export interface UniformHistogramOptions {
  /** Into how many bins distances are sorted, from the least to the greatest of the batch; 100 if left out. */
  readonly bins?: number
  /** How many pairs are drawn in each bin that has any, of each sign; 10 if left out. */
  readonly posPerBin?: number
  readonly negPerBin?: number
}

/**
 * Positives and negatives drawn evenly over their distances: in each bin of their histograms so many, with replacement. A pair
 * counts as often as it is drawn.
 *
 * @throws UsageError if a number is not whole or not above 0.
 */
export function uniformHistogram({ bins = 100, posPerBin = 10, negPerBin = 10 }: UniformHistogramOptions = {}): Miner {
  checkCount({ bins, posPerBin, negPerBin })
  return {
    name: 'uniformHistogram',
    settings: { bins, posPerBin, negPerBin },
    select({ distances, same, other, random }) {
      const known = distances.detach()
      return {
        kind: 'pairs',
        positive: drawn(known, same, bins, posPerBin, random),
        negative: drawn(known, other, bins, negPerBin, random),
      }
    },
  }
}

/** How often each pair is drawn: [n, m]. */
function drawn(distances: Value, counted: Value, bins: number, perBin: number, random: RandomInputs): Value {
  const [n, m] = distances.shape as [number, number]
  const weight = counted.cast('float32')
  const outside = weight.sub(1).mul(-FAR)
  const open = distances.add(outside)
  const [least, greatest] = [open.min(), distances.sub(outside).max()]
  const width = greatest.sub(least).div(bins).maximum(1e-12)
  const bin = distances
    .sub(least)
    .div(width)
    .maximum(0)
    .minimum(bins - 0.5)
    .cast('int64')
  const counts = zeros([bins], distances).scatterAdd(bin.reshape([n * m]), weight.reshape([n * m]), 0)
  // Sorted by bin, each bin's pairs stand together, and those that do not count at the end.
  const keys = bin
    .cast('float32')
    .add(outside)
    .reshape([n * m])
  const order = keys.topK(n * m, 0, { largest: false }).indices
  const first = counts.cumSum(0, { exclusive: true })
  const [start, size] = [first, counts].map((value) => value.unsqueeze([1])) as [Value, Value]
  const within = random.uniform([bins, perBin]).mul(size).minimum(size.sub(1)).maximum(0).cast('int64')
  const places = start
    .cast('int64')
    .add(within)
    .minimum(constant('int64', [], [n * m - 1]))
  const picked = order.gather(places.reshape([bins * perBin]))
  const counting = zeros([bins, perBin], distances)
    .add(size.greater(0).cast('float32'))
    .reshape([bins * perBin])
  return zeros([n * m], distances)
    .scatterAdd(picked, counting, 0)
    .reshape([n, m])
}
