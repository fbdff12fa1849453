/** Steps in parts and over several batches, against the same step at once. */
import { afterEach, expect, test } from 'vitest'
import { watchSessions } from '../../test/sessions.ts'
import { dropout, mask } from '../encoders/dropout.ts'
import { convolutional, type Encoder, mlp } from '../encoders/index.ts'
import { cosineMarginTriplet, triplet } from '../losses/index.ts'
import { sgd } from '../optimizers/index.ts'
import { random } from '../random.ts'
import type { Batch } from './batch.ts'
import { createStep, type Step, type StepOptions } from './step.ts'

const input = { channels: 1, height: 6, width: 5 }
const PER_CLASS = 3

function batchOf(rows: number, seed: number): Batch {
  const { integer } = random(seed, 'batch')
  const data = Uint8Array.from({ length: rows * 30 }, () => integer(256))
  return {
    inputs: { pixels: { dtype: 'uint8', shape: [rows, 1, 6, 5], data } },
    labels: Int32Array.from({ length: rows }, (_, i) => Math.floor(i / PER_CLASS)),
  }
}

const open: Step[] = []
afterEach(async () => {
  for (const step of open.splice(0)) await step.release()
})

function stepOf(encoder: Encoder, options: Partial<StepOptions> = {}): Step {
  const step = createStep({
    encoder,
    loss: cosineMarginTriplet(),
    optimizer: sgd({}),
    variables: encoder.variables(1),
    largestClass: PER_CLASS,
    threads: 2,
    ...options,
  })
  open.push(step)
  return step
}

/** All variables one after the other. */
async function flat(step: Step): Promise<number[]> {
  return Object.values(await step.variables()).flatMap(({ data }) => [...data])
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))
}

const small = mlp({ input, hidden: [16], dimension: 7 })

test.each([4, 5, 12])(
  'a batch of 13 in parts of %i gives the whole batch’s loss, statistics and gradient',
  async (microBatch) => {
    const batch = batchOf(13, 0)
    const [whole, cached] = [stepOf(small), stepOf(small, { microBatch })]
    const [a, b] = [await whole.run([batch], 1), await cached.run([batch], 1)]
    expect(b.loss).toBeCloseTo(a.loss, 5)
    for (const [name, value] of Object.entries(a.statistics)) {
      expect(b.statistics[name as keyof typeof a.statistics], name).toBeCloseTo(value, 4)
    }
    // At a rate of 1 parameters move by the gradient itself.
    const moved = largestDifference(await flat(whole), await flat(stepOf(small)))
    expect(moved).toBeGreaterThan(0.01)
    expect(largestDifference(await flat(whole), await flat(cached))).toBeLessThan(1e-5 * Math.max(1, moved))
  },
)

test('a batch of 4,096 in parts of 64 moves the parameters as the whole batch does', async () => {
  const batch = batchOf(4096, 0)
  const [whole, cached] = [stepOf(small), stepOf(small, { microBatch: 64 })]
  const before = await flat(whole)
  const [a, b] = [await whole.run([batch], 1), await cached.run([batch], 1)]
  expect(b.loss).toBeCloseTo(a.loss, 5)
  const moved = largestDifference(await flat(whole), before)
  expect(moved).toBeGreaterThan(0.001)
  // The gradient is a sum over 64 parts, each rounded on its own.
  expect(largestDifference(await flat(whole), await flat(cached))).toBeLessThan(1e-5 * moved)
})

test('several batches move the parameters by the mean of their gradients', async () => {
  const batches = [batchOf(9, 1), batchOf(12, 2), batchOf(9, 3)]
  const start = await flat(stepOf(small))
  const singles: number[][] = []
  let loss = 0
  for (const batch of batches) {
    const step = stepOf(small)
    loss += (await step.run([batch], 1)).loss / batches.length
    singles.push(await flat(step))
  }
  const expected = start.map((_, i) => singles.reduce((sum, each) => sum + each[i]!, 0) / batches.length)
  for (const microBatch of [undefined, 4]) {
    const together = stepOf(small, { microBatch })
    // Twice, so that what was summed up the first time would show.
    await together.run(batches, 0)
    expect((await together.run(batches, 1)).loss).toBeCloseTo(loss, 5)
    expect(largestDifference(await flat(together), expected)).toBeLessThan(1e-5)
  }
})

test('running statistics follow every part once, and undo brings back those of before the step', async () => {
  const encoder = convolutional({ input, channels: [4], dimension: 5 })
  const step = stepOf(encoder, { microBatch: 6 })
  const before = await flat(step)
  const part = batchOf(6, 4)
  const data = Uint8Array.from({ length: 3 * 6 * 30 }, (_, i) => Number(part.inputs.pixels!.data[i % (6 * 30)]))
  const pixels = { dtype: 'uint8', shape: [18, 1, 6, 5], data } as const
  await step.run([{ inputs: { pixels }, labels: batchOf(18, 4).labels }], 0)
  const after = (await step.variables())['block0.runningMean']!.data
  const alone = stepOf(encoder)
  await alone.run([part], 0)
  const once = (await alone.variables())['block0.runningMean']!.data
  // Three parts of the same mean m: (1 − 0.9³) m in place of 0.1 m.
  for (const [i, mean] of once.entries()) expect(after[i]! / mean).toBeCloseTo((1 - 0.9 ** 3) / 0.1, 3)
  expect(await flat(step)).not.toEqual(before)
  step.undo()
  expect(await flat(step)).toEqual(before)
})

test('undo after a step at once', async () => {
  const step = stepOf(small)
  await step.run([batchOf(9, 0)], 1)
  const before = await flat(step)
  await step.run([batchOf(9, 1)], 1)
  step.undo()
  expect(await flat(step)).toEqual(before)
})

/** The small encoder with dropout before its last layer. */
function withDropout(ratio: number): Encoder {
  return {
    ...small,
    build(inputs, variables, mode) {
      const encoded = small.build(inputs, variables, mode) as Exclude<ReturnType<Encoder['build']>, Promise<unknown>>
      if (mode === 'infer') return encoded
      const own = mask('mask', encoded.embedding.shape, ratio)
      return { ...encoded, embedding: dropout(encoded.embedding, own), masks: [own] }
    },
  }
}

test('dropout zeroes its share, keeps the mean, and is the same for the same seed', async () => {
  const rows = 600
  const batch = batchOf(rows, 5)
  const loss = triplet()
  const dropped = stepOf(withDropout(0.3), { seed: 7, loss })
  const { sample, loss: first } = await dropped.run([batch], 0)
  const zeros = [...(sample.data as Float32Array)].filter((x) => x === 0).length / sample.data.length
  expect(zeros).toBeGreaterThan(0.22)
  expect(zeros).toBeLessThan(0.38)
  const { sample: kept } = await stepOf(small, { loss }).run([batch], 0)
  sample.data.forEach((x, i) => {
    if (x !== 0) expect(Number(x) * 0.7).toBeCloseTo(Number(kept.data[i]), 3)
  })
  // Another mask for the next batch, the same ones again in another run.
  const second = (await dropped.run([batch], 0)).loss
  expect(second).not.toBe(first)
  const again = stepOf(withDropout(0.3), { seed: 7, loss })
  expect([(await again.run([batch], 0)).loss, (await again.run([batch], 0)).loss]).toEqual([first, second])
})

test('dropout in parts: both passes over a part drop the same', async () => {
  // A small step along the gradient lowers the loss by its squared norm, if it is the gradient of what was embedded.
  const batch = batchOf(12, 6)
  const options = { seed: 3, microBatch: 5, loss: triplet({ smooth: true }) }
  const rate = 1e-3
  const step = stepOf(withDropout(0.5), options)
  const start = await flat(step)
  const { loss } = await step.run([batch], rate)
  const squaredNorm = (await flat(step)).reduce((sum, x, i) => sum + ((start[i]! - x) / rate) ** 2, 0)
  const { loss: lowered } = await stepOf(withDropout(0.5), { ...options, variables: await step.variables() }).run(
    [batch],
    rate,
  )
  expect((loss - lowered) / rate / squaredNorm).toBeGreaterThan(0.9)
  expect((loss - lowered) / rate / squaredNorm).toBeLessThan(1.1)
})

test('batches of many shapes: more than are kept compiled', async () => {
  const step = stepOf(small)
  const losses: number[] = []
  await watchSessions(async (opened) => {
    for (const round of [0, 1]) {
      for (let rows = 6; rows < 17; rows++) {
        const { loss } = await step.run([batchOf(rows, rows)], 0)
        if (round === 0) losses.push(loss)
        else expect(loss).toBe(losses[rows - 6])
      }
    }
    expect(opened.length).toBeGreaterThanOrEqual(22)
    expect(opened.filter(({ released }) => !released)).toHaveLength(8)
  })
})
