/** What a loss carries from step to step (queues, slow encoders, class weights) is part of the training state. */
import { describe, expect, test } from 'vitest'
import { mlp } from '../encoders/mlp.ts'
import { batchHard, distanceWeighted, multiSimilarity as outOfOrder, uniformHistogram } from '../mining/index.ts'
import { adam } from '../optimizers/adam.ts'
import { sgd } from '../optimizers/index.ts'
import { random } from '../random.ts'
import type { Batch } from '../training/batch.ts'
import { createStep } from '../training/step.ts'
import {
  arcface,
  contrastive,
  crossBatchMemory,
  type Loss,
  momentumEncoder,
  ntxent,
  selfSupervised,
  triplet,
  weightedSum,
} from './index.ts'

const encoder = mlp({ input: { channels: 1, height: 4, width: 4 }, dimension: 6, hidden: [16] })

function batchOfPixels(seed: number, n = 12): Batch {
  const { integer } = random(seed, 'pixels')
  const data = Uint8Array.from({ length: n * 16 }, () => integer(256))
  return {
    inputs: { pixels: { dtype: 'uint8', shape: [n, 1, 4, 4], data } },
    labels: Int32Array.from({ length: n }, (_, i) => i % 3),
    identities: Int32Array.from({ length: n }, (_, i) => (i % (n / 2)) + 1000 * seed),
  }
}

async function losses(loss: Loss, options = {}, steps = 4) {
  const step = createStep({
    ...{ encoder, loss, optimizer: sgd(), variables: encoder.variables(0), classes: 3, largestClass: 4, threads: 1 },
    ...options,
  })
  const found: number[] = []
  const first = await step.snapshot()
  for (let i = 0; i < steps; i++) found.push((await step.run([batchOfPixels(i)], 0.05)).loss)
  const last = await step.snapshot()
  await step.restore(first)
  const again: number[] = []
  for (let i = 0; i < steps; i++) again.push((await step.run([batchOfPixels(i)], 0.05)).loss)
  await step.release()
  return { found, again, last }
}

describe('what a loss carries is part of the training state', () => {
  test.each([
    ['a memory', crossBatchMemory(contrastive(), { size: 30 })],
    ['a memory with mined triplets', crossBatchMemory(triplet({ mining: batchHard() }), { size: 30 })],
    ['a memory with mined pairs', crossBatchMemory(contrastive({ mining: outOfOrder() }), { size: 30 })],
    ['class weights', arcface({ scale: 8 })],
    ['a slow encoder', momentumEncoder(ntxent(), { momentum: 0.5 })],
    ['MoCo', momentumEncoder(selfSupervised(crossBatchMemory(ntxent(), { size: 24 })), { momentum: 0.5 })],
    [
      'a sum of them',
      weightedSum([{ loss: arcface({ scale: 8 }) }, { loss: crossBatchMemory(supconLike(), { size: 24 }) }]),
    ],
  ])('%s: going back gives the same steps again', async (_, loss) => {
    const { found, again } = await losses(loss)
    expect(found.every(Number.isFinite)).toBe(true)
    expect(again.slice(0, 1)).toEqual(found.slice(0, 1))
    expect(new Set(found).size).toBe(found.length)
    again.forEach((each, i) => {
      expect(each).toBeCloseTo(found[i]!, 5)
    })
  })

  test('a memory holds the last embeddings and no others', async () => {
    const { last } = await losses(crossBatchMemory(contrastive(), { size: 30 }))
    const held = Object.entries(last).filter(([name]) => name.includes('of the loss'))
    const all = held.flatMap(([, { data }]) => Array.from(data as Float32Array))
    // The labels of 30 rows, of three classes each: none is empty after 48.
    expect(all.length).toBe(30 * 6 + 30)
    expect(all.filter((x) => x === -1)).toEqual([])
  })

  test('a slow encoder that keeps nothing is the encoder of the step before', async () => {
    const still = await losses(momentumEncoder(ntxent(), { momentum: 0 }), {}, 1)
    const plain = await losses(ntxent(), {}, 1)
    expect(still.found[0]).toBeCloseTo(plain.found[0]!, 4)
  })

  test('gradients that are added up, and large batches in parts, train class weights too', async () => {
    const whole = await losses(arcface({ scale: 8 }))
    const parts = await losses(arcface({ scale: 8 }), { microBatch: 5 })
    parts.found.forEach((each, i) => {
      expect(each).toBeCloseTo(whole.found[i]!, 4)
    })
    const queued = crossBatchMemory(contrastive(), { size: 24 })
    const [direct, cached] = [await losses(queued), await losses(queued, { microBatch: 5 })]
    cached.found.forEach((each, i) => {
      expect(each).toBeCloseTo(direct.found[i]!, 4)
    })
  })
})

function supconLike(): Loss {
  return ntxent({ temperature: 0.3 })
}

test('miners that draw give the same steps for the same seed', async () => {
  const loss = (seed: number, mining = distanceWeighted()) => losses(triplet({ mining, margin: 1 }), { seed })
  const [one, two, other] = [await loss(1), await loss(1), await loss(2)]
  expect(two.found).toEqual(one.found)
  expect(other.found).not.toEqual(one.found)
  const pairs = await losses(contrastive({ mining: uniformHistogram({ bins: 10 }) }))
  expect(pairs.found.every(Number.isFinite)).toBe(true)
})

test('a slow encoder and parts of a batch do not go together', () => {
  const loss = momentumEncoder(ntxent())
  const options = { encoder, loss, optimizer: adam(), variables: encoder.variables(0), largestClass: 4, microBatch: 3 }
  expect(() => createStep(options)).toThrow(/slow encoder embeds whole batches/)
})
