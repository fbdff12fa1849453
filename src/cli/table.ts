/** Figures of an evaluation, side by side. */
import type { Evaluation } from '../evaluation/index.ts'

const rows: readonly (readonly [string, (evaluation: Evaluation) => number])[] = [
  ['precision@1', (e) => e.precisionAt1],
  ['recall@2', (e) => e.recallAtK[2]],
  ['recall@4', (e) => e.recallAtK[4]],
  ['recall@8', (e) => e.recallAtK[8]],
  ['MAP@R', (e) => e.meanAveragePrecisionAtR],
  ['R-precision', (e) => e.rPrecision],
]

/** A share, in percent. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** One column for each evaluation, in percent. */
export function table(evaluations: Readonly<Record<string, Evaluation>>): string {
  const names = Object.keys(evaluations)
  const width = Math.max(8, ...names.map((name) => name.length)) + 2
  const head = `${''.padEnd(12)}${names.map((name) => name.padStart(width)).join('')}`
  const lines = rows.map(([title, of]) => {
    const cells = Object.values(evaluations).map((each) => percent(of(each)).padStart(width))
    return `${title.padEnd(12)}${cells.join('')}`
  })
  return [...(names.length > 1 ? [head] : []), ...lines].join('\n')
}
