// Trains for 2,000 steps in a process of its own, and prints its resident memory after 500 and after all of them.
import { encoders, losses, metrics, optimizers } from 'isometry'
import { createStep } from '../../dist/training/step.js'

const input = { channels: 1, height: 12, width: 12 }
const encoder = encoders.convolutional({ input, channels: [16, 32], dimension: 32 })
const rows = 64
const step = createStep({
  encoder,
  loss: losses.cosineMarginTriplet({ metric: metrics.cosine }),
  optimizer: optimizers.adam(),
  variables: encoder.variables(0),
  largestClass: 4,
  threads: 1,
})
const labels = Int32Array.from({ length: rows }, (_, i) => i >> 2)
const resident = {}
for (let i = 1; i <= 2000; i++) {
  const data = Uint8Array.from({ length: rows * 144 }, (_, k) => (k * 31 + i * 17) % 251)
  const pixels = { dtype: 'uint8', shape: [rows, 1, 12, 12], data }
  await step.run([{ inputs: { pixels }, labels }], 0.001)
  if (i === 500 || i === 2000) {
    globalThis.gc()
    resident[i] = process.memoryUsage().rss
  }
}
await step.release()
console.log(JSON.stringify(resident))
