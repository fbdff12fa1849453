// Takes two steps on a batch of 1,024 images in parts of so many, and prints the peak of resident memory.
import { encoders, losses, optimizers } from 'isometry'
import { createStep } from '../../dist/training/step.js'

const [rows, side] = [1024, 40]
const input = { channels: 1, height: side, width: side }
const encoder = encoders.convolutional({ input, channels: [16, 32], dimension: 16 })
const step = createStep({
  encoder,
  loss: losses.cosineMarginTriplet(),
  optimizer: optimizers.sgd(),
  variables: encoder.variables(0),
  largestClass: 4,
  threads: 1,
  microBatch: Number(process.argv[2]),
})
const labels = Int32Array.from({ length: rows }, (_, i) => i >> 2)
const data = Uint8Array.from({ length: rows * side * side }, (_, i) => (i * 31) % 251)
const pixels = { dtype: 'uint8', shape: [rows, 1, side, side], data }
for (let i = 0; i < 2; i++) {
  const { loss } = await step.run([{ inputs: { pixels }, labels }], 0.001)
  if (!Number.isFinite(loss)) throw new Error('The loss is not finite')
}
await step.release()
console.log(process.resourceUsage().maxRSS * 1024)
