/** The steps of training as curves of a bounded number of points. */
import type { StepRecord } from '../training/index.ts'

/** Equally long lists; null where a step did not say. */
export interface History {
  readonly step: readonly number[]
  readonly loss: readonly number[]
  readonly positiveDistance: readonly (number | null)[]
  readonly negativeDistance: readonly (number | null)[]
}

const POINTS = 400

/** Means over equal runs of steps, of a `history.jsonl`. */
export function readHistory(text: string): History {
  const records = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Partial<StepRecord> & Pick<StepRecord, 'step' | 'loss'>)
  const run = Math.max(1, Math.ceil(records.length / POINTS))
  const runs = Array.from({ length: Math.ceil(records.length / run) }, (_, i) => records.slice(i * run, (i + 1) * run))
  const meansOf = (of: (record: (typeof records)[number]) => number | undefined) =>
    runs.map((each) => {
      const values = each.map(of).filter((x): x is number => typeof x === 'number')
      return values.length === 0 ? null : rounded(values.reduce((sum, x) => sum + x, 0) / values.length)
    })
  return {
    step: runs.map((each) => each.at(-1)!.step),
    loss: meansOf(({ loss }) => loss) as number[],
    positiveDistance: meansOf(({ positiveDistance }) => positiveDistance),
    negativeDistance: meansOf(({ negativeDistance }) => negativeDistance),
  }
}

const rounded = (x: number) => Number(x.toPrecision(5))
