/** Graphs as the CPU computes them fastest. */
import { convolution } from './cpu/convolution.ts'
import { step } from './cpu/elementwise.ts'
import { product, withBias } from './cpu/linear.ts'
import { logSumExp, sum } from './cpu/reduction.ts'
import type { Rewrite } from './rewrite.ts'

/** @param block how many channels the runtime's own convolutions take at once, where it has such. */
export function forCpu(block?: number): Rewrite {
  const forms: Readonly<Record<string, Rewrite>> = {
    Cast: step,
    Conv: convolution(block),
    Gemm: withBias,
    MatMul: product,
    ReduceLogSumExp: logSumExp,
    ReduceSum: sum,
  }
  return (node, inputs) => forms[node.operator]?.(node, inputs)
}
