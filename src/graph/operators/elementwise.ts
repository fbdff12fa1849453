/** Operators that work element by element, with NumPy's broadcasting. */
import { GraphError } from '../../errors.ts'
import { type DType, describe, type TensorType } from '../../tensor.ts'
import { broadcast, expectDType, type Infer, required, unary } from './operator.ts'

function binary(result?: DType, ...allowed: DType[]): Infer {
  return (inputs) => {
    const operands = inputs.map((_, i) => required(inputs, i))
    const first = operands[0]!
    for (const operand of operands) {
      if (operand.dtype !== first.dtype) throw new GraphError(`types differ: ${operands.map(describe).join(' and ')}`)
      if (allowed.length > 0) expectDType(operand, ...allowed)
    }
    return [{ dtype: result ?? first.dtype, shape: broadcast(operands.map(({ shape }) => shape)) }]
  }
}

const arithmetic = binary(undefined, 'float32', 'int32', 'int64')
const comparison = binary('bool')
const logical = binary('bool', 'bool')

const same: Infer = (inputs) => [{ dtype: required(inputs, 0).dtype, shape: required(inputs, 0).shape }]

const where: Infer = (inputs) => {
  const [condition, a, b] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)]
  expectDType(condition, 'bool')
  if (a.dtype !== b.dtype) throw new GraphError(`types differ: ${describe(a)} and ${describe(b)}`)
  return [{ dtype: a.dtype, shape: broadcast([condition.shape, a.shape, b.shape]) }]
}

/** `to` is ONNX's number of the element type; the builder keeps the name beside it. */
const cast: Infer = (inputs, attributes): readonly TensorType[] => [
  { dtype: attributes.dtype as DType, shape: required(inputs, 0).shape },
]

export const elementwise: Readonly<Record<string, Infer>> = {
  Add: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  Pow: binary(undefined, 'float32'),
  Max: arithmetic,
  Min: arithmetic,
  Neg: unary,
  Abs: unary,
  Exp: unary,
  Log: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Relu: unary,
  Sigmoid: unary,
  Tanh: unary,
  Softplus: unary,
  Sin: unary,
  Cos: unary,
  Acos: unary,
  Equal: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  And: logical,
  Or: logical,
  Not: same,
  Where: where,
  Cast: cast,
  Identity: same,
}
