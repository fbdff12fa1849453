/** Metrics, losses and miners that exist, against pytorch-metric-learning's values. */
import { expect, test } from 'vitest'
import { compile } from '../src/compile.ts'
import { input, type Value } from '../src/graph/value.ts'
import * as losses from '../src/losses/index.ts'
import { metricsByName } from '../src/metrics/by-name.ts'
import type { Metric } from '../src/metrics/index.ts'
import { batchHard, type Miner, semiHard } from '../src/mining/index.ts'
import { valueAndGradient } from '../src/training/value-and-gradient.ts'
import { readReference, report } from './reference.ts'
import { expectClose } from './tolerance.ts'

type Settings = Record<string, number | string | boolean>
interface Reference {
  embeddings: number[][]
  labels: number[]
  distances: Record<string, { matrix: number[][] }>
  losses: { id: string; loss: string; distance: string; params: Settings; value: number; gradient: number[][] }[]
  tuples: {
    anchors: number[]
    positives: number[]
    negatives: number[]
    secondNegatives: number[]
    losses: { id: string; params: Settings; value: number; gradient: number[][] }[]
  }
  miners: { id: string; miner: string; distance: string; params: Settings; tuples: number[][] }[]
}

const reference = readReference<Reference>('losses.json')
const { embeddings, labels } = reference
const [n, d] = [embeddings.length, embeddings[0]!.length]

const known: Record<string, Metric> = Object.fromEntries(metricsByName)
/** Where the reference used a similarity, the distance that it stands for. */
const metricOf = (name: string) => known[{ cosineSimilarity: 'cosine', dotSimilarity: 'dot' }[name] ?? name]

const rows = (name: string) => input(name, 'float32', [n, d])
const data = { dtype: 'float32', shape: [n, d], data: Float32Array.from(embeddings.flat()) } as const

/** Computes values that depend on the embeddings (input `a`) and the labels (input `labels`). */
async function evaluate(outputs: Record<string, Value>) {
  const program = await compile(outputs)
  const results = await program.run({ a: data, labels: { dtype: 'int32', shape: [n], data: Int32Array.from(labels) } })
  await program.release()
  return results
}

test('distances equal the reference', async () => {
  const checked: Record<string, number> = {}
  const waiting: Record<string, number> = {}
  for (const [name, { matrix: values }] of Object.entries(reference.distances)) {
    const metric = metricOf(name)
    if (!metric) {
      waiting[name] = 1
      continue
    }
    // Two of the reference's matrices hold similarities.
    const matrix = values.map((row) => row.map((x) => ({ cosineSimilarity: 1 - x, dotSimilarity: -x })[name] ?? x))
    const a = rows('a')
    const shifted = a.gather(input('labels', 'int32', [n]))
    const results = await evaluate({ matrix: metric.matrix(a, a), pairwise: metric.pairwise(a, shifted) })
    expectClose(results.matrix!.data as Float32Array, matrix.flat(), `${name}: matrix`)
    const pairs = labels.map((column, row) => matrix[row]![column]!)
    expectClose(results.pairwise!.data as Float32Array, pairs, `${name}: pairwise`)
    checked[name] = 2
  }
  report('distances', checked, waiting)
})

function lossOf({ loss, distance, params }: Reference['losses'][number]): losses.Loss | undefined {
  const metric = metricOf(distance)
  const reduce = params.reducer === 'mean' ? losses.mean : losses.meanNonZero
  if (!metric || params.triplets !== 'all') return undefined
  if (loss === 'triplet' && !params.swap) {
    return losses.triplet({ metric, margin: params.margin as number, smooth: params.smooth as boolean, reduce })
  }
  if (loss === 'cosineMarginTriplet') {
    return losses.cosineMarginTriplet({ metric, margin: params.m as number, scale: params.s as number, reduce })
  }
  return undefined
}

test('losses and their gradients equal the reference', async () => {
  const checked: Record<string, number> = {}
  const waiting: Record<string, number> = {}
  for (const each of reference.losses) {
    const loss = lossOf(each)
    if (!loss) {
      waiting[each.loss] = (waiting[each.loss] ?? 0) + 1
      continue
    }
    // A scale of 64 magnifies the rounding of the distances.
    const relative = (loss.settings?.scale as number) >= 64 ? 1e-3 : 1e-4
    const { value, gradient } = await valueAndGradient(loss, { embeddings, labels })
    expectClose([value], [each.value], each.id, relative)
    expectClose(gradient.flat(), each.gradient.flat(), `${each.id}: gradient`, relative)
    checked[each.loss] = (checked[each.loss] ?? 0) + 1
  }
  report('losses', checked, waiting)
})

function tupleLossOf(id: string, { metric: name, margin, margin2, s, m }: Settings): losses.Loss | undefined {
  const metric = known[name as string]
  if (id.startsWith('cosineMarginTriplet')) {
    return losses.cosineMarginTriplet({ scale: s as number, margin: m as number })
  }
  if (!metric) return undefined
  if (id.startsWith('triplet')) return losses.triplet({ metric, margin: margin as number, reduce: losses.mean })
  // What `isometry check` calls never compared: as a formula of one's own.
  if (id.startsWith('unpaired')) {
    const formula = ({ ap, an }: losses.TripletDistances) =>
      an
        .neg()
        .add(1)
        .add(ap.add(margin as number).relu())
    return losses.triplet(formula, { metric, reduce: losses.mean })
  }
  if (!id.startsWith('quadruplet')) return undefined
  return losses.quadruplet({ metric, margin: margin as number, margin2: margin2 as number })
}

test('losses over tuples and their gradients equal the reference', async () => {
  const { losses: cases, ...indices } = reference.tuples
  const columns = {
    anchor: indices.anchors,
    positive: indices.positives,
    negative: indices.negatives,
    secondNegative: indices.secondNegatives,
  }
  const checked: Record<string, number> = {}
  const waiting: Record<string, number> = {}
  for (const { id, params, value: expected, gradient: slopes } of cases) {
    const kind = id.split('-')[0]!
    const loss = tupleLossOf(id, params)
    if (!loss) {
      waiting[kind] = (waiting[kind] ?? 0) + 1
      continue
    }
    const pick = (rows: number[]) => rows.map((row) => embeddings[row]!)
    const { anchor, positive, negative, secondNegative } = columns
    const { value, gradient } = await valueAndGradient(loss, {
      anchor: pick(anchor),
      positive: pick(positive),
      negative: pick(negative),
      ...(kind === 'quadruplet' && { secondNegative: pick(secondNegative) }),
    })
    // The reference's gradient is that of the embeddings: each gets what all its places in the tuples get.
    const total = embeddings.map((row) => row.map(() => 0))
    for (const [part, rows] of Object.entries(gradient)) {
      columns[part as keyof typeof columns].forEach((row, i) => {
        for (let axis = 0; axis < d; axis++) total[row]![axis]! += rows[i]![axis]!
      })
    }
    const relative = (params.s as number) >= 64 ? 1e-3 : 1e-4
    expectClose([value], [expected], id, relative)
    expectClose(total.flat(), slopes.flat(), `${id}: gradient`, relative)
    checked[kind] = (checked[kind] ?? 0) + 1
  }
  report('tuples', checked, waiting)
})

function minerOf(miner: string, { triplets, margin }: Settings): Miner | undefined {
  if (miner === 'batchHard') return batchHard()
  if (miner === 'tripletMargin' && triplets === 'semihard') return semiHard({ margin: margin as number })
  return undefined
}

test('miners pick what the reference picks', async () => {
  const checked: Record<string, number> = {}
  const waiting: Record<string, number> = {}
  for (const { id, miner, distance, params, tuples } of reference.miners) {
    const metric = metricOf(distance)
    const own = minerOf(miner, params)
    if (!own || !metric) {
      waiting[miner] = (waiting[miner] ?? 0) + 1
      continue
    }
    const a = rows('a')
    const label = input('labels', 'int32', [n])
    const equal = label.unsqueeze([1]).equal(label.unsqueeze([0]))
    const eye = Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0))
    const self = (await import('../src/graph/value.ts')).constant('bool', [n, n], eye)
    const batch = { distances: metric.matrix(a, a), same: equal.and(self.not()), other: equal.not() }
    const selection = own.select(batch)
    if (selection.kind === 'all') throw new Error(`${id} selects`)
    if (selection.kind === 'where') {
      const kept = selection
        .keep({ ap: batch.distances.unsqueeze([2]), an: batch.distances.unsqueeze([1]) })
        .and(batch.same.unsqueeze([2]))
        .and(batch.other.unsqueeze([1]))
      const { kept: found } = await evaluate({ kept: kept.cast('int32') })
      const expected = tuples[0]!.map((anchor, i) => (anchor * n + tuples[1]![i]!) * n + tuples[2]![i]!)
      const all = Array.from(found!.data, Number).flatMap((each, i) => (each ? [i] : []))
      expect(all, id).toEqual(expected.sort((x, y) => x - y))
      checked[miner] = (checked[miner] ?? 0) + 1
      continue
    }
    const results = await evaluate({
      positive: selection.positive,
      negative: selection.negative,
      weight: selection.weight,
    })
    const found = [...Array(n).keys()]
      .filter((i) => results.weight!.data[i] === 1)
      .map((i) => [i, Number(results.positive!.data[i]), Number(results.negative!.data[i])])
    const byAnchor = tuples[0]!.map((_, i) => tuples.map((column) => column[i]!)).sort((x, y) => x[0]! - y[0]!)
    expect(found, id).toEqual(byAnchor)
    checked[miner] = (checked[miner] ?? 0) + 1
  }
  report('miners', checked, waiting)
})
