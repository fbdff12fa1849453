/** What the statistics of each step cost: the same step with and without them, taking turns. */
import { convolutional, type Encoder, mlp } from '../src/encoders/index.ts'
import { cosineMarginTriplet, type Loss, triplet } from '../src/losses/index.ts'
import { batchHard } from '../src/mining/index.ts'
import { adam } from '../src/optimizers/index.ts'
import { random } from '../src/random.ts'
import { createStep } from '../src/training/step.ts'
import { median } from './measure.ts'

const ROUNDS = 45
const WARM_UP = 5
const input = { channels: 1, height: 28, width: 28 }

const cases: { title: string; encoder: Encoder; loss: Loss; rows: number }[] = [
  {
    title: 'MLP 784-1024-1024-128, batch 512, batch-hard triplet',
    encoder: mlp({ input, hidden: [1024, 1024], dimension: 128 }),
    loss: triplet({ mining: batchHard() }),
    rows: 512,
  },
  {
    title: 'convolutional, batch 128, cosineMarginTriplet',
    encoder: convolutional({ input, dimension: 64 }),
    loss: cosineMarginTriplet(),
    rows: 128,
  },
]

for (const { title, encoder, loss, rows } of cases) {
  const options = {
    encoder,
    loss,
    optimizer: adam(),
    variables: encoder.variables(0),
    largestClass: 4,
    threads: 2,
  }
  const steps = [createStep({ ...options, watch: false }), createStep(options)] as const
  const { integer } = random(0, 'bench')
  const data = Uint8Array.from({ length: rows * 784 }, () => integer(256))
  const pixels = { dtype: 'uint8', shape: [rows, 1, 28, 28], data } as const
  const labels = Int32Array.from({ length: rows }, (_, i) => Math.floor(i / 4))
  const ratios: number[] = []
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const times: number[] = []
    for (const step of steps) {
      const start = performance.now()
      await step.run([{ inputs: { pixels }, labels }], 0.001)
      times.push(performance.now() - start)
    }
    if (round >= WARM_UP) ratios.push(times[1]! / times[0]!)
  }
  for (const step of steps) await step.release()
  console.log(`${title}: ${median(ratios).toFixed(3)} of the time without`)
}
