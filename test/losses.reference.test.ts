/** Metrics, losses and miners that exist, against pytorch-metric-learning's values. */
import { expect, test } from 'vitest'
import { compile } from '../src/compile.ts'
import { input, type Value } from '../src/graph/value.ts'
import { batchOf } from '../src/losses/batch.ts'
import { pairsOf } from '../src/losses/from-rows.ts'
import * as losses from '../src/losses/index.ts'
import { metricsByName } from '../src/metrics/by-name.ts'
import type { Metric } from '../src/metrics/index.ts'
import { valueAndGradient } from '../src/training/value-and-gradient.ts'
import { readReference, report } from './reference.ts'
import { lossOf, minerOf } from './reference-losses.ts'
import { expectClose } from './tolerance.ts'

type Settings = Record<string, number | string | boolean>
interface Reference {
  embeddings: number[][]
  labels: number[]
  distances: Record<string, { matrix: number[][] }>
  losses: {
    id: string
    loss: string
    distance: string
    params: Settings
    value: number
    gradient: number[][]
    weights?: Record<string, { shape: [number, number]; data: number[]; gradient: number[] }>
  }[]
  tuples: {
    anchors: number[]
    positives: number[]
    negatives: number[]
    secondNegatives: number[]
    losses: { id: string; params: Settings; value: number; gradient: number[][] }[]
  }
  miners: { id: string; miner: string; distance: string; params: Settings; layout: string; tuples: number[][] }[]
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
  expect(waiting).toEqual({})
  report('distances', checked)
})

test('losses, their gradients and those of their weights equal the reference', async () => {
  const checked: Record<string, number> = {}
  const waiting: Record<string, number> = {}
  for (const each of reference.losses) {
    const metric = metricOf(each.distance)
    const loss = metric && lossOf(each.loss, each.distance, each.params, metric)
    if (!loss) {
      waiting[each.loss] = (waiting[each.loss] ?? 0) + 1
      continue
    }
    // A scale of 64 magnifies the rounding of the distances.
    const relative = [loss.settings?.scale, loss.settings?.gamma].some((scale) => (scale as number) >= 64) ? 1e-3 : 1e-4
    const [parameter, ...others] = Object.entries(each.weights ?? {})
    expect(others, `${each.id}: one of our variables for each of theirs`).toEqual([])
    expect(!!parameter, `${each.id}: the reference has the weights`).toBe(!!loss.classWeights)
    const [name, given] = parameter ?? []
    const weights = given && rowsByClass(name!, given.shape, given.data)
    const variables = weights && {
      [loss.classWeights!]: { dtype: 'float32', ...weights, trained: true } as const,
    }
    const found = await valueAndGradient(loss, { embeddings, labels }, variables && { variables })
    expectClose([found.value], [each.value], each.id, relative)
    expectClose(found.gradient.flat(), each.gradient.flat(), `${each.id}: gradient`, relative)
    if (given) {
      const slopes = rowsByClass(name!, given.shape, given.gradient).data
      expectClose(found.variables[loss.classWeights!]!, slopes, `${each.id}: gradient of the weights`, relative)
    }
    checked[each.loss] = (checked[each.loss] ?? 0) + 1
  }
  expect(waiting).toEqual({})
  report('losses', checked)
})

/** Of the reference's weights, only its proxies have a row for each class, as ours do; the others are [d, classes]. */
function rowsByClass(name: string, shape: readonly [number, number], values: readonly number[]) {
  const [rows, columns] = shape
  if (name === 'proxies') return { shape, data: Float32Array.from(values) }
  const data = Float32Array.from(
    { length: rows * columns },
    (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!,
  )
  return { shape: [columns, rows], data }
}

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
  expect(waiting).toEqual({})
  report('tuples', checked)
})

test('miners pick what the reference picks', async () => {
  const checked: Record<string, number> = {}
  const waiting: Record<string, number> = {}
  for (const { id, miner, distance, params, layout, tuples } of reference.miners) {
    const metric = metricOf(distance)
    const own = minerOf(miner, distance, params)
    if (!own || !metric) {
      waiting[miner] = (waiting[miner] ?? 0) + 1
      continue
    }
    const labelled = { kind: 'labelled', embeddings: rows('a'), labels: input('labels', 'int32', [n]) } as const
    const batch = batchOf(labelled, own.metric ?? metric)
    const selection = own.select(batch)
    const cells = (columns: readonly (readonly number[])[]) =>
      columns[0]!.map((_, i) => columns.reduce((sum, column) => sum * n + column[i]!, 0)).sort((x, y) => x - y)
    const places = (data: ArrayLike<unknown>) => Array.from(data, Number).flatMap((each, i) => (each ? [i] : []))
    if (layout.includes('anchors1')) {
      // One positive and one negative for each anchor are told as pairs by the reference.
      const pairs = selection.kind === 'all' ? batchAsPairs(batch) : pairsOf(selection, batch)
      const found = await evaluate({ positive: pairs.positive, negative: pairs.negative })
      expect(places(found.positive!.data), `${id}: positives`).toEqual(cells(tuples.slice(0, 2)))
      expect(places(found.negative!.data), `${id}: negatives`).toEqual(cells(tuples.slice(2, 4)))
    } else if (selection.kind === 'where') {
      const { distances, between } = batch
      const kept = selection
        .keep({ ap: distances.unsqueeze([2]), an: distances.unsqueeze([1]), pn: between.unsqueeze([0]) })
        .and(batch.same.unsqueeze([2]))
        .and(batch.other.unsqueeze([1]))
      const { kept: found } = await evaluate({ kept: kept.cast('int32') })
      expect(places(found!.data), id).toEqual(cells(tuples))
    } else if (selection.kind === 'triplets') {
      const { positive, negative, weight } = selection
      const found = await evaluate({ positive, negative, weight })
      const anchors = places(found.weight!.data)
      const column = (name: string) => anchors.map((i) => Number(found[name]!.data[i]))
      expect(cells([anchors, column('positive'), column('negative')]), id).toEqual(cells(tuples))
    } else throw new Error(`${id}: ${selection.kind}`)
    checked[miner] = (checked[miner] ?? 0) + 1
  }
  expect(waiting).toEqual({})
  report('miners', checked)
})

function batchAsPairs({ same, other }: ReturnType<typeof batchOf>) {
  return { positive: same.cast('float32'), negative: other.cast('float32') }
}
