/** How far figures would move if other items had been drawn: the bootstrap of Efron, 1979, by percentiles. */
import type { Random } from '../random.ts'

/** Low and high end of what holds 95 % of the resamples. */
export type Interval = readonly [low: number, high: number]

/** How often each of `count` is drawn, in `count` draws with replacement. */
export function drawCounts(count: number, { integer }: Random): Float64Array {
  const counts = new Float64Array(count)
  for (let i = 0; i < count; i++) counts[integer(count)]!++
  return counts
}

/** The interval of values, of which there is at least one; those between are interpolated. */
export function interval(values: ArrayLike<number>): Interval {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const below = Math.floor(place)
    const above = Math.min(below + 1, sorted.length - 1)
    return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!)
  }
  return [at(0.025), at(0.975)]
}

/** The means of the columns of `table` [rows, columns], and the interval of each as rows are drawn anew. */
export function meansOf(table: Float64Array, columns: number, resamples: number, random: Random) {
  const rows = table.length / columns
  const weighted = (weights?: Float64Array) => {
    const sums = new Float64Array(columns)
    for (let row = 0; row < rows; row++) {
      const weight = weights ? weights[row]! : 1
      if (weight === 0) continue
      for (let column = 0; column < columns; column++) sums[column]! += weight * table[row * columns + column]!
    }
    return sums.map((sum) => sum / rows)
  }
  const drawn = Array.from({ length: resamples }, () => weighted(drawCounts(rows, random)))
  return {
    means: weighted(),
    intervals: Array.from({ length: resamples > 0 ? columns : 0 }, (_, column) =>
      interval(drawn.map((means) => means[column]!)),
    ),
  }
}
