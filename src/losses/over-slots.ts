/** What triplets add up to that is no sum of terms for each anchor, in blocks of positives. */
import { differentiate } from '../graph/differentiate.ts'
import { zeros } from '../graph/gradients/rule.ts'
import { concat, type Value } from '../graph/value.ts'
import { waitFor } from './over-triplets.ts'

/** Blocks hold so many elements, or one matrix where that is more. */
const BLOCK_ELEMENTS = 2 ** 22

export interface OverSlots {
  /** [n, m] */
  readonly distances: Value
  /** [n, m] bool */
  readonly positives: Value
  readonly negatives: Value
  readonly mostPositives: number
  /**
   * From d(a, p) [n, k, 1], d(a, n) [n, 1, m] and which triplets there are (float32 [n, k, m]) to what a block gives: a value
   * for each positive [n, k], or for each anchor [n, c].
   */
  block(ap: Value, an: Value, counted: Value): Value
  /** Whether blocks stand side by side, a value for each positive, or are added up. */
  readonly combine: 'concat' | 'sum'
}

/**
 * What all blocks give, and which places for positives are filled [n, k]. The gradient visits the blocks again, so that
 * memory grows with the square of the batch.
 */
export function overSlots(options: OverSlots): { result: Value; filled: Value } {
  const { distances, positives, negatives, mostPositives, combine } = options
  const [n, m] = distances.shape as [number, number]
  const { values, indices } = positives.cast('float32').topK(mostPositives, 1)
  const others = negatives.cast('float32').unsqueeze([1])
  const size = Math.max(1, Math.floor(BLOCK_ELEMENTS / (n * m)))
  const starts = Array.from({ length: Math.ceil(mostPositives / size) }, (_, i) => i * size)

  /** A block of slots, which begins when what it waits for is done. */
  function visit(start: number, before: readonly Value[]) {
    const end = Math.min(start + size, mostPositives)
    const [picked, filled] = [distances.gatherElements(indices, 1), values].map((each) =>
      each.slice(1, start, end).unsqueeze([2]),
    )
    // Both wait: which triplets there are is as large as the block, too.
    const [ap, counted] = [picked!, filled!].map((each) => (before.length > 0 ? each.add(waitFor(before)) : each))
    const an = distances.unsqueeze([1])
    return { ap: ap!, an, end, result: options.block(ap!, an, counted!.mul(others)) }
  }

  const parts: Value[] = []
  for (const start of starts) {
    const { result } = visit(start, parts.slice(-1))
    parts.push(combine === 'sum' && parts.length > 0 ? parts.at(-1)!.add(result) : result)
  }
  const whole = combine === 'sum' ? parts.at(-1)! : concat(parts, 1)
  if (starts.length === 1) return { result: whole, filled: values }
  const result = whole.withGradient({
    inputs: [distances],
    rule(upstream) {
      const byPositive: Value[] = []
      let byNegative: Value | undefined
      for (const start of starts) {
        const visited = visit(start, byNegative ? [byNegative, byPositive.at(-1)!] : [])
        const own = combine === 'sum' ? upstream : upstream.slice(1, start, visited.end)
        const [ofPositive, ofNegative] = differentiate(visited.result, [visited.ap, visited.an], own)
        byPositive.push(ofPositive!.squeeze([2]))
        const slope = ofNegative!.squeeze([1])
        byNegative = byNegative ? byNegative.add(slope) : slope
      }
      return [byNegative!.add(zeros([n, m], distances).scatterAdd(indices, concat(byPositive, 1), 1))]
    },
  })
  return { result, filled: values }
}
