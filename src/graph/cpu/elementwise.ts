/** What is computed number by number: comparisons in one pass, and all of it in blocks where the numbers lie in blocks. */
import { sameShape, size } from '../../tensor.ts'
import type { Node } from '../node.ts'
import type { Rewrite, Users } from '../rewrite.ts'
import { one, type Value } from '../value.ts'
import type { Matrices } from './matrices.ts'

/** So steep that every float32 above zero, times this, is above one. */
const STEEP = 3e38

/**
 * 1 where a number is above zero and 0 elsewhere: a line through zero, cut off at 0 and 1, as steep as float32 has them.
 * Comparing and converting would go over all numbers twice.
 */
export const step: Rewrite = ({ attributes }, [x]) => {
  const [number, bound] = x?.node?.operator === 'Greater' ? x.node.inputs : []
  if (attributes.dtype !== 'float32' || number?.dtype !== 'float32') return undefined
  const isZero = bound?.data?.length === 1 && bound.data[0] === 0 && bound.shape.length === 0
  return isZero ? [one('HardSigmoid', [number], { alpha: STEEP, beta: 0 })] : undefined
}

/** What is computed number by number, wherever the numbers lie. */
const byElement = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Neg', 'Abs', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Relu'],
  ...['Sigmoid', 'Tanh', 'Softplus', 'Sin', 'Cos', 'Erf', 'HardSwish', 'HardSigmoid', 'Softsign', 'Elu', 'Selu'],
  ...['LeakyRelu', 'Gelu', 'Clip'],
])

/** Whether a value is a factor again, as it is or after what can be computed in blocks. */
export function isMultiplied(value: Value, users: Users, seen = new Set<Value>()): boolean {
  if (seen.has(value)) return false
  seen.add(value)
  return users(value).some((node) => {
    if (node.operator === 'Gemm' || node.operator === 'MatMul') return true
    return isByElement(node) && isMultiplied(node.outputs[0]!, users, seen)
  })
}

/** Between two products, what lies in blocks of columns stays there. */
export const inBlocks =
  (matrices: Matrices): Rewrite =>
  (node, inputs, users) => {
    const y = node.outputs[0]!
    if (!isByElement(node)) return undefined
    const blocks = inputs.map((x) => x && blocksOf(x, y, matrices))
    if (blocks.some((each, i) => inputs[i] && !each) || !isMultiplied(y, users)) return undefined
    return [matrices.tensor(one(node.operator, blocks, node.attributes), 'columns', y.shape)]
  }

/** Of numbers in the places of the result, single ones, and rows that are the same for all. */
function isByElement({ operator, inputs, outputs }: Node): boolean {
  const { dtype, shape } = outputs[0]!
  if (!byElement.has(operator) || dtype !== 'float32') return false
  const isWhole = (x: Value) => sameShape(x.shape, shape)
  return (
    inputs.every((x) => !x || x.shape.length === 0 || isWhole(x) || isRow(x, shape)) &&
    inputs.some((x) => x && x.shape.length > 0 && isWhole(x))
  )
}

function isRow(x: Value, shape: readonly number[]): boolean {
  return size(x.shape) === shape.at(-1) && x.shape.at(-1) === shape.at(-1)
}

/** An operand as it goes with blocks: a number as it is, a row, or blocks that are there. */
function blocksOf(x: Value, y: Value, matrices: Matrices): Value | undefined {
  if (x.shape.length === 0) return x
  if (sameShape(x.shape, y.shape)) return matrices.known(x, 'columns')
  const columns = size(x.shape)
  return columns % matrices.block === 0 ? x.reshape([columns / matrices.block, 1, matrices.block]) : undefined
}
