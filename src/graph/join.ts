/** What is computed alike for each of many tensors, computed once for all of them, laid end to end in one vector. */
import { sameShape, size } from '../tensor.ts'
import { apply, concat, type Value } from './value.ts'

/** Of vectors joined these give what they give of each, joined: bit for bit the same, in one node. */
const elementwise = new Set(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Neg', 'Sqrt', 'Reciprocal'])

/** Gives all elements of the parts as one vector. */
export type Join = (parts: readonly Value[]) => Value

/**
 * @param known vectors that are there already, by their parts.
 */
export function joining(known: ReadonlyMap<readonly Value[], Value>): Join {
  const numbers = new Map<Value, number>()
  const numberOf = (part: Value) => {
    if (!numbers.has(part)) numbers.set(part, numbers.size)
    return numbers.get(part)
  }
  const keyOf = (parts: readonly Value[]) => parts.map(numberOf).join()
  const joined = new Map([...known].map(([parts, vector]) => [keyOf(parts), vector]))

  function join(parts: readonly Value[]): Value {
    const key = keyOf(parts)
    const vector = joined.get(key) ?? atOnce(parts, join) ?? concat(parts.map(flat), 0)
    joined.set(key, vector)
    return vector
  }
  return join
}

/** By the node that computes each part, if it is the same for all of them but for what it takes. */
function atOnce(parts: readonly Value[], join: Join): Value | undefined {
  const nodes = parts.map(({ node }) => node)
  const [first] = nodes
  if (!first || !elementwise.has(first.operator)) return undefined
  if (!nodes.every((node) => node?.operator === first.operator && node.inputs.length === first.inputs.length)) {
    return undefined
  }
  const operands = first.inputs.map((_, i) => nodes.map((node) => node!.inputs[i]!))
  const areParts = (operand: readonly Value[]) => operand.every((each, i) => sameShape(each.shape, parts[i]!.shape))
  if (!operands.every((operand) => isShared(operand) || areParts(operand))) return undefined
  return apply(
    first.operator,
    operands.map((operand) => (isShared(operand) ? operand[0] : join(operand))),
    first.attributes,
  )[0]
}

/** Whether all are one and the same number. */
function isShared(operand: readonly Value[]): boolean {
  const [first] = operand as [Value]
  if (first.shape.length > 1 || size(first.shape) !== 1) return false
  return operand.every(
    (each) => each === first || (first.data && each.data?.length === 1 && each.data[0] === first.data[0]),
  )
}

function flat(value: Value): Value {
  return value.shape.length === 1 ? value : value.reshape([-1])
}
