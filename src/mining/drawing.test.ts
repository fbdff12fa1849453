/** Miners that draw at random: what they draw, how often, and the same for the same seed; and the hardest share. */
import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { input, type Value } from '../graph/value.ts'
import { batchOf } from '../losses/batch.ts'
import { pairsOf } from '../losses/from-rows.ts'
import { chord, cosine } from '../metrics/index.ts'
import { random } from '../random.ts'
import { distanceWeighted, hdc, type Miner, uniformHistogram } from './index.ts'
import { drawUniform, randomInputs } from './random-inputs.ts'

const N = 24
const D = 3
const { uniform } = random(5, 'embeddings')
const embeddings = Float32Array.from({ length: N * D }, () => uniform(-1, 1))
const labels = Int32Array.from({ length: N }, (_, i) => i % 4)

/** What a miner picks as pairs, batch after batch, and the distances. */
async function picks(miner: Miner, batches: number, seed = 0) {
  const drawn = randomInputs('')
  const examples = {
    kind: 'labelled',
    embeddings: input('x', 'float32', [N, D]),
    labels: input('labels', 'int32', [N]),
    largestClass: N / 4,
    random: drawn,
  } as const
  const batch = batchOf(examples, miner.metric ?? cosine)
  const selection = miner.select(batch)
  if (selection.kind === 'all') throw new Error('it selects')
  const { positive, negative } = pairsOf(selection, batch)
  const outputs: Record<string, Value> = { positive, negative, distances: batch.distances }
  const program = await compile(outputs)
  const found = []
  for (let i = 0; i < batches; i++) {
    const results = await program.run({
      x: { dtype: 'float32', shape: [N, D], data: embeddings },
      labels: { dtype: 'int32', shape: [N], data: labels },
      ...drawUniform(drawn.values, seed, String(i)),
    })
    found.push(Object.fromEntries(Object.keys(outputs).map((name) => [name, [...results[name]!.data].map(Number)])))
  }
  await program.release()
  return found as Record<'positive' | 'negative' | 'distances', number[]>[]
}

const total = (x: readonly number[]) => x.reduce((sum, each) => sum + each, 0)

/** Pearson's statistic of counts against what was expected. */
function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const all = total(counts)
  return total(counts.map((count, i) => (count - all * shares[i]!) ** 2 / (all * shares[i]!)))
}

test('distance-weighted negatives come as often as their distances are rare', async () => {
  const batches = 400
  const found = await picks(distanceWeighted(), batches)
  const distances = found[0]!.distances
  const drawn = distances.map((_, cell) => total(found.map(({ negative }) => negative[cell]!)))
  for (let anchor = 0; anchor < N; anchor++) {
    const cells = Array.from({ length: N }, (_, column) => anchor * N + column)
    const weights = cells.map((cell, column) => {
      const d = Math.max(0.5, distances[cell]!)
      if (labels[column] === labels[anchor] || distances[cell]! >= 1.4) return 0
      return 1 / (d ** (D - 2) * (1 - d ** 2 / 4) ** ((D - 3) / 2))
    })
    const possible = cells.filter((_, i) => weights[i]! > 0)
    const counts = possible.map((cell) => drawn[cell]!)
    expect(total(cells.map((cell) => drawn[cell]!))).toBe(total(counts))
    expect(total(counts)).toBe(possible.length > 0 ? batches * 5 : 0)
    if (possible.length < 2) continue
    const shares = weights.filter((weight) => weight > 0).map((weight) => weight / total(weights))
    const freedom = possible.length - 1
    // Beyond this only once in a million.
    expect(chiSquare(counts, shares)).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom) + 15)
  }
})

test('the uniform histogram fills each bin that has pairs with as many', async () => {
  const [bins, perBin, batches] = [8, 6, 300]
  const found = await picks(uniformHistogram({ bins, posPerBin: perBin, negPerBin: perBin }), batches)
  const distances = found[0]!.distances
  for (const sign of ['positive', 'negative'] as const) {
    const cells = distances.flatMap((_, cell) => {
      const [row, column] = [Math.floor(cell / N), cell % N]
      const isSame = labels[row] === labels[column]
      return (sign === 'positive' ? isSame && row !== column : !isSame) ? [cell] : []
    })
    const all = cells.map((cell) => distances[cell]!)
    const [least, most] = [Math.min(...all), Math.max(...all)]
    const binOf = (cell: number) => Math.min(bins - 1, Math.floor(((distances[cell]! - least) / (most - least)) * bins))
    const members = Array.from({ length: bins }, (_, bin) => cells.filter((cell) => binOf(cell) === bin))
    for (const one of found) expect(total(one[sign])).toBe(perBin * members.filter(({ length }) => length > 0).length)
    for (const inBin of members.filter(({ length }) => length > 1)) {
      const counts = inBin.map((cell) => total(found.map((one) => one[sign][cell]!)))
      expect(total(counts)).toBe(perBin * batches)
      const freedom = inBin.length - 1
      const shares = inBin.map(() => 1 / inBin.length)
      expect(chiSquare(counts, shares)).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom) + 15)
    }
  }
})

test('the same seed draws the same, another one does not', async () => {
  for (const miner of [distanceWeighted(), uniformHistogram()]) {
    const [first, again, other] = [await picks(miner, 2, 1), await picks(miner, 2, 1), await picks(miner, 2, 2)]
    expect(again).toEqual(first)
    expect(other[0]!.negative).not.toEqual(first[0]!.negative)
    expect(first[1]!.negative).not.toEqual(first[0]!.negative)
  }
})

test('hdc picks the hardest share of each sign', async () => {
  const [{ positive, negative, distances }] = (await picks(hdc({ share: 0.25 }), 1)) as [Record<string, number[]>]
  const of = (weights: number[], value: number) => distances!.filter((_, i) => weights[i] === value)
  const same = (cell: number) => labels[Math.floor(cell / N)] === labels[cell % N]
  const positives = distances!
    .filter((_, cell) => same(cell) && Math.floor(cell / N) !== cell % N)
    .sort((a, b) => b - a)
  const negatives = distances!.filter((_, cell) => !same(cell)).sort((a, b) => a - b)
  const [far, near] = [of(positive!, 1).sort((a, b) => b - a), of(negative!, 1).sort((a, b) => a - b)]
  // Each pair stands there twice, so that a bound that falls between the two takes both.
  expect(far.length - Math.ceil(0.25 * positives.length)).toBeLessThan(2)
  expect(near.length - Math.ceil(0.25 * negatives.length)).toBeLessThan(2)
  expect(far).toEqual(positives.slice(0, far.length))
  expect(near).toEqual(negatives.slice(0, near.length))
})

test('distances of unit vectors are those that distance-weighted mining looks at', () => {
  expect(distanceWeighted().metric).toBe(chord)
})
