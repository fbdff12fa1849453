/** Matrix products. */
import { GraphError } from '../../errors.ts'
import { describe } from '../../tensor.ts'
import { broadcast, expectRank, type Infer, required } from './operator.ts'

const matMul: Infer = (inputs) => {
  const [a, b] = [required(inputs, 0), required(inputs, 1)]
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  if (left.length < 2 || right.length < 2 || left.at(-1) !== right.at(-2)) {
    throw new GraphError(`${describe(a)} × ${describe(b)}: the inner extents differ`)
  }
  const shape = broadcast([left.slice(0, -2), right.slice(0, -2)])
  if (a.shape.length > 1) shape.push(left.at(-2)!)
  if (b.shape.length > 1) shape.push(right.at(-1)!)
  return [{ dtype: a.dtype, shape }]
}

const gemm: Infer = (inputs, { transA = 0, transB = 0 }) => {
  const [a, b] = [required(inputs, 0), required(inputs, 1)]
  expectRank(a, 2)
  expectRank(b, 2)
  const [rows, inner] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!]
  const [innerB, columns] = transB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!]
  if (inner !== innerB) throw new GraphError(`${describe(a)} × ${describe(b)}: the inner extents differ`)
  if (inputs[2] && broadcast([inputs[2].shape, [rows, columns]]).join() !== `${rows},${columns}`) {
    throw new GraphError(`${describe(inputs[2])} cannot be added to [${rows}, ${columns}]`)
  }
  return [{ dtype: a.dtype, shape: [rows, columns] }]
}

export const linear: Readonly<Record<string, Infer>> = { MatMul: matMul, Gemm: gemm }
