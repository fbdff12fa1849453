/** The time of a training step beside the same step in PyTorch, in one run, taking turns. */
import { setTimeout } from 'node:timers/promises'
import { convolutional } from '../src/encoders/convolutional.ts'
import type { Encoder } from '../src/encoders/encoder.ts'
import { mlp } from '../src/encoders/mlp.ts'
import { triplet } from '../src/losses/triplet.ts'
import { batchHard } from '../src/mining/batch-hard.ts'
import { adam } from '../src/optimizers/adam.ts'
import { random } from '../src/random.ts'
import { createStep } from '../src/training/step.ts'
import { median } from './measure.ts'
import { startPeer } from './peer.ts'

const ROUNDS = 21
const WARM_UP = 3
/** PyTorch's threads spin for a while after a step, and would slow whoever comes next; in milliseconds. */
const PAUSE = 300
const PER_CLASS = 4
const input = { channels: 1, height: 28, width: 28 }

const cases: { name: string; title: string; encoder: Encoder; rows: number }[] = [
  {
    name: 'mlp',
    title: 'MLP 784-1024-1024-128, batch 512',
    encoder: mlp({ input, hidden: [1024, 1024], dimension: 128 }),
    rows: 512,
  },
  {
    name: 'convolutional',
    title: 'four conv blocks of 64 channels, 28 × 28, batch 256',
    encoder: convolutional({ input, channels: [64, 64, 64, 64] }),
    rows: 256,
  },
]

const peer = startPeer('step', 'torch')
console.log(`Cosine, batch-hard triplet, Adam; two threads; median of ${ROUNDS} steps each, taking turns`)
for (const { name, title, encoder, rows } of cases) {
  const step = createStep({
    encoder,
    loss: triplet({ mining: batchHard() }),
    optimizer: adam(),
    variables: encoder.variables(0),
    largestClass: PER_CLASS,
    threads: 2,
  })
  const { integer } = random(0, 'bench')
  const data = Uint8Array.from({ length: rows * 784 }, () => integer(256))
  const pixels = { dtype: 'uint8', shape: [rows, 1, 28, 28], data } as const
  const labels = Int32Array.from({ length: rows }, (_, i) => Math.floor(i / PER_CLASS))
  const [ours, theirs, ratios]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    await setTimeout(PAUSE)
    const start = performance.now()
    await step.run([{ inputs: { pixels }, labels }], 0.001)
    const mine = performance.now() - start
    await setTimeout(PAUSE)
    const other = await peer?.time(name)
    if (round < WARM_UP) continue
    ours.push(mine)
    if (other !== undefined) {
      theirs.push(other)
      ratios.push(mine / other)
    }
  }
  await step.release()
  const beside = peer ? `, PyTorch ${median(theirs).toFixed(1)} ms, ratio ${median(ratios).toFixed(2)}` : ''
  console.log(`${title}: ${median(ours).toFixed(1)} ms${beside}`)
}
peer?.close()
