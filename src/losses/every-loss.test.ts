/** What holds of every loss: gradients, degenerate batches, tuples, references, memories, training. */
import { describe, expect, test } from 'vitest'
import { mlp } from '../encoders/mlp.ts'
import { UsageError } from '../errors.ts'
import { adam } from '../optimizers/adam.ts'
import { random } from '../random.ts'
import { createStep } from '../training/step.ts'
import { valueAndGradient } from '../training/value-and-gradient.ts'
import { lossByName, lossesByName } from './by-name.ts'
import { crossBatchMemory, type Loss, regularized, zeroMean } from './index.ts'

const names = [...lossesByName.keys()]
const { uniform } = random(3, 'embeddings')
const rows = (count: number, d = 4) =>
  Array.from({ length: count }, () => Array.from({ length: d }, () => uniform(-1, 1)))
const embeddings = rows(9)
const labels = [0, 1, 2, 0, 1, 2, 0, 1, 0]
const others = { embeddings: rows(7), labels: [1, 0, 2, 2, 0, 1, 0] }
const tuples = { anchor: rows(5), positive: rows(5), negative: rows(5) }

/** Counting is piecewise constant, and ranks are steep; both need settings in which finite differences tell something. */
const smoother: Record<string, Record<string, number>> = { pnp: { anneal: 0.5 } }
const make = (name: string) => lossByName(name, smoother[name])

/** Weights of theirs are taken as constants by their publication, so their gradients are no slopes; the reference has them. */
const withoutSlope = ['circle', 'p2sGrad']
/** Losses that only take tuples, or no labelled batch of one view. */
const onlyTuples = ['quadruplet']
const labelled = names.filter((name) => !onlyTuples.includes(name))
const ofViews = ['vicreg']
/** Losses against weights of their own, over in-batch pairs or over all pairs: nothing else to be compared with. */
const withoutReferences = [
  ...[...lossesByName.keys()].filter((name) => make(name).classWeights),
  ...['nPairs', 'multipleNegatives', 'coSENT', 'angle', 'cosineMse', ...ofViews],
]
const withoutTuples = [
  ...[...lossesByName.keys()].filter((name) => make(name).classWeights),
  ...['coSENT', 'angle', 'cosineMse', 'quadruplet', ...ofViews],
]

async function expectSlope(
  loss: string,
  found: number,
  at: (shift: number) => Promise<number>,
  what: string,
  step = 2e-3,
): Promise<void> {
  if (withoutSlope.includes(loss)) return
  const slope = ((await at(step)) - (await at(-step))) / (2 * step)
  expect(Math.abs(found - slope), `${loss} by ${what}: ${found} is no slope of ${slope}`).toBeLessThan(
    0.01 + 0.03 * Math.abs(slope),
  )
}

const moved = (x: number[][], row: number, column: number, shift: number) =>
  x.map((each, i) => each.map((value, j) => (i === row && j === column ? value + shift : value)))

describe.each(labelled)('%s', (name) => {
  const loss = make(name)

  test('its gradient is that of finite differences, by embeddings and by its own weights', async () => {
    const batch =
      name === 'vicreg' ? { embeddings: embeddings.slice(1), labels: labels.slice(1) } : { embeddings, labels }
    const variables = loss.variables?.({ dimension: 4, classes: 3, seed: 0 }) ?? {}
    const { value, gradient, variables: own } = await valueAndGradient(loss, batch, { variables })
    expect(Number.isFinite(value)).toBe(true)
    for (const [row, column] of [
      [0, 0],
      [4, 3],
    ] as const) {
      const at = async (shift: number) =>
        (
          await valueAndGradient(
            loss,
            { ...batch, embeddings: moved(batch.embeddings, row, column, shift) },
            { variables },
          )
        ).value
      await expectSlope(name, gradient[row]![column]!, at, `embedding ${row}`)
    }
    for (const [weights, slopes] of Object.entries(own)) {
      const at = async (shift: number) => {
        const data = variables[weights]!.data.with(2, variables[weights]!.data[2]! + shift)
        return (
          await valueAndGradient(loss, batch, {
            variables: { ...variables, [weights]: { ...variables[weights]!, data } },
          })
        ).value
      }
      await expectSlope(name, slopes[2]!, at, weights)
    }
  })

  test('values and gradients are finite for coincident, opposite and zero embeddings, and without positives or negatives', async () => {
    const degenerate = [
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 0],
      [-1, 0],
      [-1, 0],
      [1e-20, 0],
      [0, 1],
    ]
    for (const each of [
      [0, 1, 0, 1, 0, 1, 0, 1],
      [0, 0, 0, 0, 0, 0, 0, 0],
      [0, 1, 2, 3, 4, 5, 6, 7],
    ]) {
      const variables = loss.variables?.({ dimension: 2, classes: 8, seed: 0 }) ?? {}
      const found = await valueAndGradient(loss, { embeddings: degenerate, labels: each }, { variables })
      expect(Number.isFinite(found.value), `${name}: ${found.value}`).toBe(true)
      expect(found.gradient.flat().every(Number.isFinite), `${name}: ${found.gradient}`).toBe(true)
      for (const slopes of Object.values(found.variables)) expect(slopes.every(Number.isFinite)).toBe(true)
    }
  })

  test('training lowers it, its own weights and state with it', async () => {
    const encoder = mlp({ input: { channels: 1, height: 4, width: 4 }, dimension: 8, hidden: [32] })
    const step = createStep({
      encoder,
      loss: make(name),
      optimizer: adam(),
      variables: encoder.variables(0),
      classes: 4,
      largestClass: 4,
      threads: 1,
    })
    const { integer } = random(1, 'pixels')
    const pixels = Uint8Array.from({ length: 16 * 16 }, () => integer(256))
    const batch = {
      inputs: { pixels: { dtype: 'uint8', shape: [16, 1, 4, 4], data: pixels } },
      labels: Int32Array.from({ length: 16 }, (_, i) => i % 4),
    } as const
    const history: number[] = []
    for (let i = 0; i < 25; i++) history.push((await step.run([batch], 0.01)).loss)
    await step.release()
    expect(history.every(Number.isFinite)).toBe(true)
    expect(Math.min(...history.slice(-5)), `${name}: ${history}`).toBeLessThan(history[0]! - 1e-4)
  })
})

test.each(labelled.filter((name) => !withoutReferences.includes(name)))(
  '%s with references: a gradient, and a memory of the batch alone is the batch',
  async (name) => {
    const loss = make(name)
    const { gradient } = await valueAndGradient(loss, { embeddings, labels, references: others })
    const at = async (shift: number) =>
      (await valueAndGradient(loss, { embeddings: moved(embeddings, 3, 1, shift), labels, references: others })).value
    await expectSlope(name, gradient[3]![1]!, at, 'an anchor')

    const { value } = await valueAndGradient(loss, { embeddings, labels })
    const inRange = (size: number) => valueAndGradient(crossBatchMemory(loss, { size }), { embeddings, labels })
    // Means over columns that hold nothing yet are taken over those too, to 1e-5 of them.
    expect((await inRange(labels.length)).value).toBeCloseTo(value, 3)
    expect((await inRange(labels.length + 4)).value).toBeCloseTo(value, 3)
  },
)

test.each(withoutReferences)('%s says that it takes no references', async (name) => {
  const found = valueAndGradient(make(name), {
    embeddings: embeddings.slice(1),
    labels: labels.slice(1),
    references: others,
  })
  await expect(found).rejects.toThrow(UsageError)
  await expect(found).rejects.toThrow(/references|one labelled batch/)
})

test.each(labelled.filter((name) => !withoutTuples.includes(name)))('%s over tuples has a gradient', async (name) => {
  const loss = make(name)
  const { value, gradient } = await valueAndGradient(loss, tuples)
  expect(Number.isFinite(value)).toBe(true)
  for (const part of ['anchor', 'positive', 'negative'] as const) {
    const at = async (shift: number) =>
      (await valueAndGradient(loss, { ...tuples, [part]: moved(tuples[part], 1, 2, shift) })).value
    await expectSlope(name, gradient[part]![1]![2]!, at, `the ${part}`)
  }
})

test.each(withoutTuples)('%s says that it takes no such tuples', async (name) => {
  await expect(valueAndGradient(make(name), tuples)).rejects.toThrow(UsageError)
})

test('a regulariser adds its cost', async () => {
  const plain = make('contrastive')
  const found = await valueAndGradient(regularized(plain, { embeddings: zeroMean(), weight: 2 }), {
    embeddings,
    labels,
  })
  const cost = embeddings.reduce((sum, row) => sum + Math.abs(row.reduce((a, b) => a + b, 0)), 0) / embeddings.length
  expect(found.value).toBeCloseTo((await valueAndGradient(plain, { embeddings, labels })).value + 2 * cost, 4)
})

test('a loss that does not exist, and settings that it does not have, are told with those that do', () => {
  expect(() => lossByName('tripplet')).toThrow(/There is no loss tripplet\. Choose among triplet, cosineMarginTriplet,/)
  expect(() => lossByName('ntxent', { margin: 1 })).toThrow(
    'The loss ntxent has no setting margin. It has temperature.',
  )
  expect(() => lossByName('ntxent', { temperature: 'x' })).toThrow(/temperature is "x"; expected a number/)
  expect(() => lossByName('pnp', { variant: 'X' })).toThrow(/expected one of O, Ds, Dq, Iu, Ib/)
  const bad: [string, Record<string, unknown>][] = [
    ['ntxent', { temperature: 0 }],
    ['circle', { gamma: -1 }],
    ['angular', { alpha: 80 }],
    ['fastAP', { bins: 0.5 }],
    ['margin', { beta: 3 }],
    ['rankedList', { imbalance: 2 }],
    ['arcface', { margin: 180 }],
    ['sphereface', { margin: 2.5 }],
    ['manifold', { alpha: 1 }],
    ['dynamicSoftMargin', { minValue: 1 }],
    ['tupletMargin', { margin: 100 }],
    ['softTriple', { centersPerClass: 0 }],
  ]
  for (const [name, settings] of bad) expect(() => lossByName(name, settings), name).toThrow(UsageError)
})

test('every loss names its settings as it was made with them', () => {
  for (const [name, { settings, make: made }] of lossesByName) {
    const loss: Loss = made({})
    expect(loss.name).toBe(name)
    for (const setting of Object.keys(settings)) expect(Object.keys(loss.settings ?? {}), name).toContain(setting)
  }
})
