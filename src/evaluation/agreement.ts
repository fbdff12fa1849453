/** How much two ways to part the same items say of each other. */

export interface Agreement {
  /** Normalised mutual information, from 0 to 1: over the mean of both entropies. */
  readonly nmi: number
  /** Adjusted mutual information, 1 at best and about 0 for what chance gives. */
  readonly ami: number
}

/**
 * The agreement of two partitions, each a number for each item, which only says which items go together.
 *
 * Vinh, Epps, Bailey, "Information Theoretic Measures for Clusterings Comparison", 2010; the mean of both entropies.
 */
export function agreement(first: ArrayLike<number>, second: ArrayLike<number>): Agreement {
  const n = first.length
  const [a, b] = [sizesOf(first), sizesOf(second)]
  // Both all one, or both all apart: they say the same, whatever the formula's 0 / 0 would be.
  if (a.size === b.size && (a.size === 1 || a.size === n)) return { nmi: 1, ami: 1 }
  const entropy = (entropyOf(a, n) + entropyOf(b, n)) / 2
  const information = mutualInformation(first, second, a, b)
  const expected = expectedInformation([...a.values()], [...b.values()], n)
  const room = entropy - expected
  // Rounding of what is nothing must not become something by division.
  const least = Math.sign(room) * Math.max(Math.abs(room), Number.EPSILON) || Number.EPSILON
  return { nmi: Math.max(0, information / entropy), ami: (information - expected) / least }
}

type Sizes = ReadonlyMap<number, number>

function sizesOf(parts: ArrayLike<number>): Sizes {
  const sizes = new Map<number, number>()
  for (let i = 0; i < parts.length; i++) sizes.set(parts[i]!, (sizes.get(parts[i]!) ?? 0) + 1)
  return sizes
}

function entropyOf(sizes: Sizes, n: number): number {
  let sum = 0
  for (const size of sizes.values()) sum -= (size / n) * Math.log(size / n)
  return sum
}

function mutualInformation(first: ArrayLike<number>, second: ArrayLike<number>, a: Sizes, b: Sizes): number {
  const n = first.length
  const together = new Map<number, Map<number, number>>()
  for (let i = 0; i < n; i++) {
    const row = together.get(first[i]!) ?? new Map<number, number>()
    together.set(first[i]!, row)
    row.set(second[i]!, (row.get(second[i]!) ?? 0) + 1)
  }
  let sum = 0
  for (const [i, row] of together) {
    for (const [j, count] of row) sum += (count / n) * Math.log((n * count) / (a.get(i)! * b.get(j)!))
  }
  return sum
}

/** The mean of the mutual information over all partitions with parts of these sizes: Vinh et al., eq. 24. */
function expectedInformation(a: readonly number[], b: readonly number[], n: number): number {
  const factorial = new Float64Array(n + 1)
  for (let i = 2; i <= n; i++) factorial[i] = factorial[i - 1]! + Math.log(i)
  const [left, right] = [countsOf(a), countsOf(b)]
  let sum = 0
  for (const [x, xs] of left) {
    for (const [y, ys] of right) {
      const constant = factorial[x]! + factorial[y]! + factorial[n - x]! + factorial[n - y]! - factorial[n]!
      let inner = 0
      for (let both = Math.max(1, x + y - n); both <= Math.min(x, y); both++) {
        const chance =
          constant - factorial[both]! - factorial[x - both]! - factorial[y - both]! - factorial[n - x - y + both]!
        inner += (both / n) * Math.log((n * both) / (x * y)) * Math.exp(chance)
      }
      sum += xs * ys * inner
    }
  }
  return sum
}

/** How often each size occurs: equal sizes have equal terms. */
function countsOf(sizes: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1)
  return counts
}
