/** What a threshold on distances is worth: "same" are pairs at no more than it. */
import type { Places } from './pairs.ts'

/** The false positive rates that true positive rates are given at. */
export const RATES = ['0.1', '0.01', '0.001'] as const

export interface CurveFigures {
  readonly rocAuc: number
  readonly equalErrorRate: number
  readonly truePositiveRateAtFalsePositiveRate: Readonly<Record<(typeof RATES)[number], number>>
  readonly bestAccuracy: number
  readonly bestThreshold: number
}

/** A point of the curve: what the threshold accepts. */
export interface Point {
  readonly threshold: number
  /** Pairs of one class, and of different ones, at no more than the threshold. */
  readonly same: number
  readonly different: number
}

export function totals({ same, different }: Places): { same: number; different: number } {
  return { same: sumOf(same), different: sumOf(different) }
}

/** A loop, because millions are summed up for each time that items are drawn anew. */
function sumOf(counts: Float64Array): number {
  let total = 0
  for (let i = 0; i < counts.length; i++) total += counts[i]!
  return total
}

/** Calls back with each point, nearest first; thresholds lie halfway between two distances. */
export function sweep(places: Places, visit: (threshold: number, same: number, different: number) => void): void {
  const { distances, same: ofSame, different: ofDifferent } = places
  let same = 0
  let different = 0
  const last = distances.length - 1
  for (let i = 0; i <= last; i++) {
    same += ofSame[i]!
    different += ofDifferent[i]!
    const distance = distances[i]!
    if (i === last) visit(distance, same, different)
    else if (distances[i + 1] !== distance) visit((distance + distances[i + 1]!) / 2, same, different)
  }
}

/** There must be pairs of both kinds. */
export function figuresOf(places: Places): CurveFigures {
  const all = totals(places)
  let area = 0
  let closest = 1
  let equalErrorRate = 0.5
  let bestAccuracy = all.different / (all.same + all.different)
  let bestThreshold = places.distances[0]!
  // The point before, and the step that led to it.
  let beforeSame = 0
  let beforeDifferent = 0
  let stepSame = Number.NaN
  let stepDifferent = Number.NaN
  const reached = RATES.map(() => 0)
  const allowed = RATES.map((rate) => Number(rate) * all.different)
  // Where the curve goes on as it came, a point says nothing that its ends do not: as scikit-learn's roc_curve has it.
  const atCorner = (same: number, different: number) => {
    const missed = 1 - same / all.same
    const wrong = different / all.different
    if (Math.abs(missed - wrong) >= closest) return
    closest = Math.abs(missed - wrong)
    equalErrorRate = (missed + wrong) / 2
  }
  sweep(places, (threshold, same, different) => {
    area += (different - beforeDifferent) * (same + beforeSame)
    if (same - beforeSame !== stepSame || different - beforeDifferent !== stepDifferent) {
      atCorner(beforeSame, beforeDifferent)
      stepSame = same - beforeSame
      stepDifferent = different - beforeDifferent
    }
    beforeSame = same
    beforeDifferent = different
    const accuracy = (same + all.different - different) / (all.same + all.different)
    if (accuracy > bestAccuracy) {
      bestAccuracy = accuracy
      bestThreshold = threshold
    }
    for (let i = 0; i < allowed.length; i++) if (different <= allowed[i]!) reached[i] = same / all.same
  })
  atCorner(beforeSame, beforeDifferent)
  return {
    rocAuc: area / (2 * all.same * all.different),
    equalErrorRate,
    truePositiveRateAtFalsePositiveRate: { '0.1': reached[0]!, '0.01': reached[1]!, '0.001': reached[2]! },
    bestAccuracy,
    bestThreshold,
  }
}

/** The point that accepts most and yet no more than this share of the different pairs; undefined if none does. */
export function pointAt(places: Places, rate: number): Point | undefined {
  const allowed = rate * totals(places).different
  let found: Point | undefined
  sweep(places, (threshold, same, different) => {
    if (different <= allowed) found = { threshold, same, different }
  })
  return found
}

/** How many steps a drawn curve has on each axis. */
const STEPS = 500

/** The receiver operating characteristic, from (0, 0) to (1, 1): points of it, close enough to draw. */
export function rocOf(places: Places) {
  const all = totals(places)
  const [falsePositiveRate, truePositiveRate, threshold] = [[0], [0], [places.distances[0]!]]
  sweep(places, (at, same, different) => {
    const [x, y] = [different / all.different, same / all.same]
    const isLast = same === all.same && different === all.different
    if (!isLast && x - falsePositiveRate.at(-1)! < 1 / STEPS && y - truePositiveRate.at(-1)! < 1 / STEPS) return
    falsePositiveRate.push(x)
    truePositiveRate.push(y)
    threshold.push(at)
  })
  return { falsePositiveRate, truePositiveRate, threshold }
}

const BARS = 64

/** How many pairs lie between each two edges. */
export function histogramOf({ distances, same, different }: Places) {
  const [least, most] = [distances[0]!, distances.at(-1)!]
  const width = (most - least) / BARS || 1
  const counts = { same: new Array<number>(BARS).fill(0), different: new Array<number>(BARS).fill(0) }
  distances.forEach((distance, i) => {
    const bar = Math.min(BARS - 1, Math.floor((distance - least) / width))
    counts.same[bar]! += same[i]!
    counts.different[bar]! += different[i]!
  })
  return { edges: Array.from({ length: BARS + 1 }, (_, i) => least + i * width), ...counts }
}
