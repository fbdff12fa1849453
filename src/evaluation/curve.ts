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
  const sum = (counts: Float64Array) => counts.reduce((total, each) => total + each, 0)
  return { same: sum(same), different: sum(different) }
}

/** Calls back with each point, nearest first; thresholds lie halfway between two distances. */
export function sweep(places: Places, visit: (threshold: number, same: number, different: number) => void): void {
  const { distances } = places
  let [same, different] = [0, 0]
  for (let i = 0; i < distances.length; i++) {
    same += places.same[i]!
    different += places.different[i]!
    if (i + 1 < distances.length && distances[i + 1] === distances[i]) continue
    visit(i + 1 < distances.length ? (distances[i]! + distances[i + 1]!) / 2 : distances[i]!, same, different)
  }
}

/** There must be pairs of both kinds. */
export function figuresOf(places: Places): CurveFigures {
  const all = totals(places)
  let [area, closest, equalErrorRate] = [0, 1, 0.5]
  let before = { same: 0, different: 0, stepSame: Number.NaN, stepDifferent: Number.NaN }
  let [bestAccuracy, bestThreshold] = [all.different / (all.same + all.different), places.distances[0]!]
  const reached = RATES.map(() => 0)
  const allowed = RATES.map((rate) => Number(rate) * all.different)
  // Where the curve goes on as it came, a point says nothing that its ends do not: as scikit-learn's roc_curve has it.
  const atCorner = ({ same, different }: { same: number; different: number }) => {
    const [missed, wrong] = [1 - same / all.same, different / all.different]
    if (Math.abs(missed - wrong) >= closest) return
    closest = Math.abs(missed - wrong)
    equalErrorRate = (missed + wrong) / 2
  }
  sweep(places, (threshold, same, different) => {
    area += (different - before.different) * (same + before.same)
    const step = { stepSame: same - before.same, stepDifferent: different - before.different }
    if (step.stepSame !== before.stepSame || step.stepDifferent !== before.stepDifferent) atCorner(before)
    before = { same, different, ...step }
    const accuracy = (same + all.different - different) / (all.same + all.different)
    if (accuracy > bestAccuracy) {
      bestAccuracy = accuracy
      bestThreshold = threshold
    }
    for (let i = 0; i < allowed.length; i++) if (different <= allowed[i]!) reached[i] = same / all.same
  })
  atCorner(before)
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
