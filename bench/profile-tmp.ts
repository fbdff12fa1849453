import { convolutional } from '../src/encoders/convolutional.ts'
import { mlp } from '../src/encoders/mlp.ts'
import { triplet } from '../src/losses/triplet.ts'
import { batchHard } from '../src/mining/batch-hard.ts'
import { adam } from '../src/optimizers/adam.ts'
import { compileStep } from '../src/training/step.ts'

const input = { channels: 1, height: 28, width: 28 }
const conv = process.argv[2] === 'conv'
const encoder = conv
  ? convolutional({ input, channels: [64, 64, 64, 64] })
  : mlp({ input, hidden: [1024, 1024], dimension: 128 })
const rows = conv ? 256 : 512
const step = await compileStep({
  encoder,
  loss: triplet({ mining: batchHard() }),
  optimizer: adam(),
  variables: encoder.variables(0),
  rows,
  largestClass: 4,
  threads: 2,
})
const pixels = Uint8Array.from({ length: rows * 784 }, (_, i) => (i * 7919) % 256)
const labels = Int32Array.from({ length: rows }, (_, i) => Math.floor(i / 4))
const times = []
for (let i = 0; i < 20; i++) {
  const t = performance.now()
  await step.run(pixels, labels, 0.001)
  times.push(performance.now() - t)
}
console.log(times.sort((a, b) => a - b)[10])
await step.release()
