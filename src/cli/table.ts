/** Figures of an evaluation, side by side. */
import type { Evaluation, TupleEvaluation } from '../evaluation/index.ts'

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

type Figures<Measured> = readonly (readonly [string, (evaluation: Measured) => number | undefined])[]

const tupleRows: Figures<TupleEvaluation> = [
  ['in order', (e) => ('inOrder' in e ? e.inOrder : undefined)],
  ['precision@1', (e) => ('precisionAt1' in e ? e.precisionAt1 : undefined)],
  ['Spearman', (e) => ('spearman' in e ? e.spearman : undefined)],
  ['ROC area', (e) => ('areaUnderRoc' in e ? e.areaUnderRoc : undefined)],
]

/** One column for each evaluation, in percent. */
export const table = (evaluations: Readonly<Record<string, Evaluation>>): string => columns(evaluations, rows)

/** The same of tuples. */
export const tupleTable = (evaluations: Readonly<Record<string, TupleEvaluation>>): string =>
  columns(evaluations, tupleRows)

function columns<Measured>(evaluations: Readonly<Record<string, Measured>>, figures: Figures<Measured>): string {
  const names = Object.keys(evaluations)
  const width = Math.max(8, ...names.map((name) => name.length)) + 2
  const head = `${''.padEnd(12)}${names.map((name) => name.padStart(width)).join('')}`
  const lines = figures.flatMap(([title, of]) => {
    const values = Object.values(evaluations).map(of)
    if (values.some((value) => value === undefined)) return []
    return [`${title.padEnd(12)}${values.map((value) => percent(value!).padStart(width)).join('')}`]
  })
  return [...(names.length > 1 ? [head] : []), ...lines].join('\n')
}
