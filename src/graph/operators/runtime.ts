/** Operators that ONNX does not have and the runtime's CPU has: named with their domain, written only by `forCpu`. */
import { convolution } from './convolution.ts'
import { linear } from './linear.ts'
import { expectRank, type Infer, required, unary } from './operator.ts'

/** Whose channels lie in blocks side by side; the shape is told as if they did not. */
const reordered: Infer = (inputs, attributes) => {
  expectRank(required(inputs, 0), 4)
  return unary(inputs, attributes)
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
  'com.microsoft.nchwc.ReorderInput': reordered,
  'com.microsoft.nchwc.ReorderOutput': reordered,
  'com.microsoft.nchwc.Conv': convolution.Conv!,
  'com.microsoft.FusedMatMul': fusedMatMul,
}
