/** How many channels the runtime's fastest convolutions take at once, on this processor. */
import { blockedConvolution } from './graph/cpu/blocked.ts'
import { toModel } from './graph/to-onnx.ts'
import { constant, one, type Value } from './graph/value.ts'
import { writeModel } from './onnx/codec.ts'
import { open } from './runtime/node.ts'

/** Those of AVX-512 and NEON, and of AVX and SSE. */
const CANDIDATES = [16, 8]
const CHANNELS = 32
/** Wrongly ordered weights give differences of the order of 1. */
const TOLERANCE = 1e-3

let found: Promise<number | undefined> | undefined

/**
 * Found by trying, once in a process: the runtime does not tell, and takes weights in any order. `undefined` where
 * it has no such convolutions, or gives something else than a convolution.
 */
export function channelBlock(): Promise<number | undefined> {
  found ??= tried()
  return found
}

async function tried(): Promise<number | undefined> {
  const ramp = (shape: readonly number[], frequency: number) => {
    const length = shape.reduce((a, b) => a * b)
    return constant(
      'float32',
      shape,
      Float32Array.from({ length }, (_, i) => Math.sin(i * frequency)),
    )
  }
  const [x, weight] = [ramp([1, CHANNELS, 2, 2], 1.1), ramp([CHANNELS, CHANNELS, 1, 1], 0.7)]
  const plain = one('Conv', [x, weight])
  const differenceOf = (block: number): Value =>
    blockedConvolution(x, weight, undefined, {}, block).sub(plain).abs().max()
  const outputs = Object.fromEntries(CANDIDATES.map((block) => [String(block), differenceOf(block)]))
  try {
    const program = await open(writeModel(toModel(outputs)), { threads: 1 })
    const results = await program.run({})
    await program.release()
    return CANDIDATES.find((block) => Number(results[block]!.data[0]) < TOLERANCE)
  } catch {
    return undefined
  }
}
