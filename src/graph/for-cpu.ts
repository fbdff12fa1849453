/** Graphs as the CPU computes them fastest. */
import { convolution } from './cpu/convolution.ts'
import { inBlocks, step } from './cpu/elementwise.ts'
import { product, productWithBias } from './cpu/linear.ts'
import { Matrices } from './cpu/matrices.ts'
import { logSumExp, sum } from './cpu/reduction.ts'
import type { Rewrite } from './rewrite.ts'

/** @param block how many channels the runtime's own convolutions take at once, where it has such. */
export function forCpu(block?: number): Rewrite {
  const matrices = block === undefined ? undefined : new Matrices(block)
  const forms: Readonly<Record<string, Rewrite>> = {
    Cast: step,
    Conv: convolution(block),
    Gemm: productWithBias(matrices),
    MatMul: product(matrices),
    ReduceLogSumExp: logSumExp,
    ReduceSum: sum(matrices),
  }
  const where = matrices && inBlocks(matrices)
  return (node, inputs, users) => {
    const formed = forms[node.operator]?.(node, inputs, users)
    const [y] = formed ?? []
    // A form may be computed number by number itself.
    if (y?.node && formed?.length === 1) return where?.({ ...y.node, outputs: node.outputs }, y.node.inputs, users) ?? formed
    return formed ?? where?.(node, inputs, users)
  }
}
