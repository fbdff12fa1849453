/** Graphs as the CPU computes them fastest. */
import { convolution } from './cpu/convolution.ts'
import { inBlocks, step } from './cpu/elementwise.ts'
import { product, productWithBias } from './cpu/linear.ts'
import { Matrices } from './cpu/matrices.ts'
import { logSumExp, sum } from './cpu/reduction.ts'
import type { Rewrite } from './rewrite.ts'

/** How many channels a block has where products in blocks have been found to be faster: with AVX-512. */
const BLOCK_OF_PRODUCTS = 16

/** @param block how many channels the runtime's own convolutions take at once, where it has such. */
export function forCpu(block?: number): Rewrite {
  const matrices = block === BLOCK_OF_PRODUCTS ? new Matrices(block) : undefined
  const forms: Readonly<Record<string, Rewrite>> = {
    Cast: step,
    Conv: convolution(block),
    Gemm: productWithBias(matrices),
    MatMul: product(matrices),
    ReduceLogSumExp: logSumExp,
    ReduceSum: sum(matrices),
  }
  const between = matrices && inBlocks(matrices)
  return (node, inputs, users) => {
    const formed = forms[node.operator]?.(node, inputs, users)
    if (!between) return formed
    if (!formed) return between(node, inputs, users)
    // What a form ends with may be computed in blocks as well; it has the users of the node that it stands for.
    const last = formed.length === 1 ? formed[0]!.node : undefined
    return (last && between({ ...last, outputs: node.outputs }, last.inputs, users)) ?? formed
  }
}
