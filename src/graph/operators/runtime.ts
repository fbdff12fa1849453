/** Operators that ONNX does not have and the runtime's CPU has: named with their domain, written only by `forCpu`. */
import { convolution } from './convolution.ts'
import { linear } from './linear.ts'
import { expectRank, type Infer, required } from './operator.ts'

/**
 * [n, channels, h, w] with its channels in blocks side by side; the shape is told as if they were not. From and to images
 * whose channels come first, or last.
 */
const reorder =
  (channelsLast: readonly [number, number, number, number]): Infer =>
  (inputs, { channels_last = 0 }) => {
    const { dtype, shape } = required(inputs, 0)
    expectRank({ dtype, shape }, 4)
    return [{ dtype, shape: channels_last ? channelsLast.map((axis) => shape[axis]!) : shape }]
  }

/** A product of matrices, the last two axes of either of them exchanged on the way. */
const fusedMatMul: Infer = ([a, b], { transA = 0, transB = 0 }) => {
  const turned = (x: typeof a, isTurned: number) => {
    if (!x || !isTurned) return x
    return { dtype: x.dtype, shape: [...x.shape.slice(0, -2), x.shape.at(-1)!, x.shape.at(-2)!] }
  }
  return linear.MatMul!([turned(a, transA as number), turned(b, transB as number)], {})
}

export const runtime: Readonly<Record<string, Infer>> = {
  'com.microsoft.nchwc.ReorderInput': reorder([0, 3, 1, 2]),
  'com.microsoft.nchwc.ReorderOutput': reorder([0, 2, 3, 1]),
  'com.microsoft.nchwc.Conv': convolution.Conv!,
  'com.microsoft.FusedMatMul': fusedMatMul,
}
