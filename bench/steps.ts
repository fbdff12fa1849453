/** The steps that are timed, and how many operations their matrix products take. */
import { convolutional, type Encoder, mlp } from '../src/encoders/index.ts'
import { type Loss, triplet } from '../src/losses/index.ts'
import { batchHard } from '../src/mining/index.ts'
import type { Optimizer } from '../src/optimizers/index.ts'
import { random } from '../src/random.ts'
import type { Tensors } from '../src/runtime/session.ts'
import { size, type Tensor } from '../src/tensor.ts'
import { createStep } from '../src/training/step.ts'
import { transformer } from './transformer.ts'

const PER_CLASS = 4
const input = { channels: 1, height: 28, width: 28 }
const layers = { layers: 6, tokens: 64, width: 384, heads: 12 }

export interface TimedStep {
  readonly name: string
  readonly title: string
  readonly encoder: Encoder
  readonly loss: Loss
  readonly inputs: Tensors
  /** Multiplications and additions of the matrix products and convolutions, forwards and backwards. */
  readonly operations: number
}

/** Forwards once, backwards twice; the first layer's input needs no gradient. */
function products(rows: number, widths: readonly number[]): number {
  return widths.slice(1).reduce((sum, width, i) => sum + (i === 0 ? 4 : 6) * rows * width * widths[i]!, 0)
}

function drawn(shape: readonly number[], dtype: 'uint8' | 'float32'): Tensor {
  const { integer, uniforms } = random(0, 'bench')
  if (dtype === 'uint8') return { dtype, shape, data: Uint8Array.from({ length: size(shape) }, () => integer(256)) }
  return { dtype, shape, data: uniforms(size(shape), -1, 1) }
}

const tokens = 32 * layers.tokens
export const steps: readonly TimedStep[] = [
  {
    name: 'mlp',
    title: 'MLP 784-1024-1024-128, batch 512, batch-hard triplet, Adam',
    encoder: mlp({ input, hidden: [1024, 1024], dimension: 128 }),
    loss: triplet({ mining: batchHard() }),
    inputs: { pixels: drawn([512, 1, 28, 28], 'uint8') },
    operations: products(512, [784, 1024, 1024, 128]),
  },
  {
    name: 'convolutional',
    title: 'four conv blocks of 64 channels, 28 × 28, batch 256, all triplets, Adam',
    encoder: convolutional({ input, channels: [64, 64, 64, 64] }),
    loss: triplet(),
    inputs: { pixels: drawn([256, 1, 28, 28], 'uint8') },
    operations:
      products(256 * 784, [9, 64]) + [196, 49, 9].reduce((sum, places) => sum + 6 * 256 * places * 64 * 576, 0),
  },
  {
    name: 'transformer',
    title: 'transformer, 6 layers, width 384, 12 heads, 32 × 64 tokens, all triplets, AdamW',
    encoder: transformer(layers),
    loss: triplet(),
    inputs: { tokens: drawn([32, layers.tokens, layers.width], 'float32') },
    // Four projections of attention and two of four times the width; scores and what they mix.
    operations: layers.layers * 6 * tokens * (12 * layers.width ** 2 + 2 * layers.tokens * layers.width),
  },
]

/** The step compiled, with its batch. */
export function prepare({ encoder, loss, inputs }: TimedStep, optimizer: Optimizer) {
  const variables = encoder.variables(0)
  const step = createStep({ encoder, loss, optimizer, variables, largestClass: PER_CLASS, threads: 2 })
  const [rows] = Object.values(inputs)[0]!.shape as [number]
  const labels = Int32Array.from({ length: rows }, (_, i) => Math.floor(i / PER_CLASS))
  return { run: () => step.run([{ inputs, labels }], 0.001), release: () => step.release() }
}
