/** How well each class is found. */
import { MEASURES, shape } from './measures.ts'

export interface ClassMeasures {
  readonly label: string | number
  /** How many queries are of the class. */
  readonly queries: number
  readonly precisionAt1: number
  readonly rPrecision: number
  readonly meanAveragePrecisionAtR: number
}

/** The means of each class's queries, worst first by MAP@R; equal ones in the order they came. */
export function classMeasures(labels: readonly (string | number | null)[], table: Float64Array): ClassMeasures[] {
  const sums = new Map<string | number, { queries: number; of: Float64Array }>()
  labels.forEach((label, query) => {
    if (label === null) return
    const known = sums.get(label) ?? { queries: 0, of: new Float64Array(MEASURES) }
    sums.set(label, known)
    known.queries++
    for (let i = 0; i < MEASURES; i++) known.of[i]! += table[query * MEASURES + i]!
  })
  const found = [...sums].map(([label, { queries, of }]) => {
    const { precisionAt1, rPrecision, meanAveragePrecisionAtR } = shape((column) => of[column]! / queries)
    return { label, queries, precisionAt1, rPrecision, meanAveragePrecisionAtR }
  })
  return found.sort((a, b) => a.meanAveragePrecisionAtR - b.meanAveragePrecisionAtR)
}
