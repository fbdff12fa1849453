/** All figures of one evaluation, with their intervals, and the classes that were found worst. */
import type { ClassMeasures, Evaluation, Interval } from '../evaluation/index.ts'
import { percent } from './table.ts'

type Row = readonly [title: string, value: number | undefined, interval?: Interval | undefined]

export function figures(e: Evaluation): string {
  const c = e.confidence
  const retrieval: Row[] = [
    ['precision@1', e.precisionAt1, c?.precisionAt1],
    ...(['2', '4', '8'] as const).map((k): Row => [`recall@${k}`, e.recallAtK[k], c?.recallAtK[k]]),
    ['R-precision', e.rPrecision, c?.rPrecision],
    ['MAP@R', e.meanAveragePrecisionAtR, c?.meanAveragePrecisionAtR],
    ['MAP', e.meanAveragePrecision, c?.meanAveragePrecision],
    ['reciprocal rank', e.meanReciprocalRank, c?.meanReciprocalRank],
    ...(['5', '10'] as const).map((k): Row => [`NDCG@${k}`, e.ndcgAtK[k], c?.ndcgAtK[k]]),
  ]
  const blocks = [lines('', retrieval)]
  const [v, vc] = [e.verification, c?.verification]
  if (v) {
    const rates = (['0.1', '0.01', '0.001'] as const).map((rate): Row => {
      const of = (each: typeof v) => each.truePositiveRateAtFalsePositiveRate[rate]
      return [`found at FPR ${rate}`, of(v), vc?.truePositiveRateAtFalsePositiveRate[rate]]
    })
    blocks.push(
      lines('same or different, by distance alone', [
        ['area under ROC', v.rocAuc, vc?.rocAuc],
        ['equal error rate', v.equalErrorRate, vc?.equalErrorRate],
        ...rates,
        [`accuracy at ${v.bestThreshold.toFixed(4)}`, v.bestAccuracy, vc?.bestAccuracy],
      ]),
    )
  }
  if (e.clustering) {
    blocks.push(
      lines('clusters and classes', [
        ['NMI', e.clustering.nmi],
        ['AMI', e.clustering.ami],
      ]),
    )
  }
  return blocks.join('\n\n')
}

function lines(title: string, rows: readonly Row[]): string {
  const written = rows.map(([name, value, interval]) => {
    const [low, high] = (interval ?? []).map((each) => (100 * each).toFixed(1).padStart(5))
    return `${name.padEnd(20)}${percent(value!).padStart(8)}${interval ? `   ${low} to ${high}` : ''}`
  })
  return [title || `${' '.repeat(31)}95 % interval`, ...written].join('\n')
}

/** How many classes are shown unless all are asked for. */
const WORST = 5
const NAME = 40

export function classTable(classes: readonly ClassMeasures[], all = false): string {
  const shown = all ? classes : classes.slice(0, WORST)
  const names = shown.map(({ label }) => {
    const name = `${label}`.replace(/\p{Cc}/gu, ' ')
    return name.length > NAME ? `${name.slice(0, NAME - 1)}…` : name
  })
  const title = all ? 'classes, worst first' : 'worst classes'
  const width = Math.max(20, title.length, ...names.map((name) => name.length)) + 1
  const head = `${title.padEnd(width)}queries  precision@1     MAP@R`
  const written = shown.map(({ queries, precisionAt1, meanAveragePrecisionAtR }, i) => {
    const cells = [
      String(queries).padStart(7),
      percent(precisionAt1).padStart(13),
      percent(meanAveragePrecisionAtR).padStart(10),
    ]
    return `${names[i]!.padEnd(width)}${cells.join('')}`
  })
  return [head, ...written].join('\n')
}
