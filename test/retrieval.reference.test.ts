/** Measures of retrieval, verification and clustering against pytorch-metric-learning and scikit-learn. */
import { expect, test } from 'vitest'
import { agreement, type Evaluation, evaluate } from '../src/evaluation/index.ts'
import { metricsByName } from '../src/metrics/by-name.ts'
import type { Metric } from '../src/metrics/index.ts'
import type { Tensor } from '../src/tensor.ts'
import { readReference, report } from './reference.ts'
import { expectClose } from './tolerance.ts'

type Measures = Record<string, Record<string, number> | number>
interface Reference {
  sets: {
    embeddings: number[][]
    labels: number[]
    measures: Record<string, Record<string, Measures>>
    clustering: { assignment: number[]; nmi: number; ami: number }
  }[]
}

const known: Record<string, Metric> = Object.fromEntries(metricsByName)
/** The reference's names of what exists here. */
const measures: Record<string, (evaluation: Evaluation) => number> = {
  precision_at_1: (e) => e.precisionAt1,
  mean_average_precision_at_r: (e) => e.meanAveragePrecisionAtR,
  r_precision: (e) => e.rPrecision,
  mean_average_precision: (e) => e.meanAveragePrecision,
  mean_reciprocal_rank: (e) => e.meanReciprocalRank,
}

function rows(embeddings: readonly number[][], labels: readonly number[], start: number, end: number) {
  const part = embeddings.slice(start, end)
  const shape = [part.length, embeddings[0]!.length]
  const tensor: Tensor = { dtype: 'float32', shape, data: Float32Array.from(part.flat()) }
  return { embeddings: tensor, labels: labels.slice(start, end) }
}

/** A figure of verification, or a table of them. */
function checkAll(
  found: Evaluation['verification'],
  key: string,
  expected: number | Record<string, number>,
  check: (value: number, expected: number, what: string) => void,
) {
  const value = found?.[key as keyof typeof found] as number | Record<string, number>
  if (typeof expected === 'number') check(value as number, expected, key)
  else for (const [rate, each] of Object.entries(expected)) check((value as Record<string, number>)[rate]!, each, key)
}

test('measures equal the reference', async () => {
  const checked: Record<string, number> = {}
  const waiting: Record<string, number> = {}
  const count = (counts: Record<string, number>, name: string) => {
    counts[name] = (counts[name] ?? 0) + 1
  }
  const { sets } = readReference<Reference>('retrieval.json')
  for (const [i, { embeddings, labels, measures: byMetric, clustering }] of sets.entries()) {
    const n = labels.length
    for (const [name, found] of Object.entries(byMetric)) {
      const metric = known[name]
      if (!metric) {
        count(waiting, name)
        continue
      }
      const third = Math.floor(n / 3)
      const whole = await evaluate(rows(embeddings, labels, 0, n), metric)
      const split = await evaluate(rows(embeddings, labels, 0, third), metric, {
        gallery: rows(embeddings, labels, third, n),
      })
      const check = (value: number, expected: number, what: string) => {
        expectClose([value], [expected], `set ${i}, ${name}, ${what}`, 0, 1e-6)
        count(checked, what)
      }
      for (const [group, values] of Object.entries(found)) {
        const evaluation = { galleryIsQuery: whole, firstThirdQueriesRest: split }[group]
        for (const [key, expected] of Object.entries(values)) {
          const of = measures[key]
          if (evaluation && of) check(of(evaluation), expected as number, key)
          else if (group === 'verification') checkAll(whole.verification, key, expected, check)
          else {
            const found = (whole[group as keyof Evaluation] as Record<string, number> | undefined)?.[key]
            if (found === undefined) count(waiting, `${group} ${key}`)
            else check(found, expected as number, group.replace('K', key))
          }
        }
      }
    }
    const found = agreement(labels, clustering.assignment)
    for (const name of ['nmi', 'ami'] as const) {
      expectClose([found[name]], [clustering[name]], `set ${i}, ${name}`, 0, 1e-6)
      count(checked, name)
    }
  }
  expect(waiting).toEqual({})
  report('retrieval', checked)
})
