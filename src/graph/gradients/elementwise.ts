/** Gradients of the element-by-element operators. */
import type { Node } from '../node.ts'
import { constant, type Value } from '../value.ts'
import { inputsOf, masked, type Rule, type Rules, unary, unbroadcast } from './rule.ts'

/** A rule for operands that are broadcast, from the gradient of each at the common shape. */
function operands(gradients: (g: Value, inputs: readonly Value[], node: Node) => readonly (Value | undefined)[]): Rule {
  return (g, node) => {
    const inputs = inputsOf(node)
    return gradients(g, inputs, node).map((gradient, i) => gradient && unbroadcast(gradient, inputs[i]!.shape))
  }
}

/** Max and Min: to the operand that was chosen; at a tie both get half, as PyTorch has it. */
const chosen: Rule = operands((g, inputs, node) => {
  const hits = inputs.map((x) => x.equal(node.outputs[0]!).cast('float32'))
  const share = g.div(hits.reduce((sum, hit) => sum.add(hit)))
  return hits.map((hit) => share.mul(hit))
})

/** 1/x; 0 at zero, where the slope is infinite, and no gradient is what keeps training alive. Sums cost less than Where. */
function inverse(x: Value): Value {
  const isZero = x.equal(0).cast('float32')
  return x.add(isZero).reciprocal().sub(isZero)
}

function isNowhere(constants: Value, condition: (x: number) => boolean): boolean {
  return !Array.from(constants.data as Float32Array).some(condition)
}

/** A constant stays one, so that it is known what its power is at zero. */
function lessOne(exponent: Value): Value {
  const { dtype, shape, data } = exponent
  if (!data) return exponent.sub(1)
  return constant(
    dtype,
    shape,
    Array.from(data as Float32Array, (x) => x - 1),
  )
}

const none: Rule = (_, node) => node.inputs.map(() => undefined)

export const elementwise: Rules = {
  Add: operands((g, inputs) => inputs.map(() => g)),
  Sub: operands((g) => [g, g.neg()]),
  Mul: operands((g, [a, b]) => [g.mul(b!), g.mul(a!)]),
  Div: operands((g, [a, b]) => {
    if (b!.data && isNowhere(b!, (x) => x === 0)) return [g.div(b!), undefined]
    const factor = inverse(b!)
    const slope = g.mul(factor)
    return [slope, slope.mul(a!).mul(factor).neg()]
  }),
  Pow: operands((g, [a, b], node) => {
    const slope = g.mul(b!).mul(a!.pow(lessOne(b!)))
    if (b!.data && isNowhere(b!, (x) => x < 1)) return [slope, undefined]
    // At zero the slope of a power below 1 is infinite, and no gradient is what keeps training alive there.
    const base = masked(slope, a!.equal(0).not().or(b!.greaterEqual(1)))
    if (b!.data) return [base, undefined]
    // 0^b has no slope in b for b > 0, and log 0 must not spoil it.
    return [base, masked(g.mul(node.outputs[0]!).mul(a!.greater(0).where(a!, 1).log()), a!.greater(0))]
  }),
  Max: chosen,
  Min: chosen,
  Neg: (g) => [g.neg()],
  Abs: (g, node) => {
    const x = inputsOf(node)[0]!
    return [x.greater(0).where(g, masked(g.neg(), x.less(0)))]
  },
  Exp: unary((_, y) => y),
  Log: unary(inverse),
  // At zero the slope of the root is infinite; no gradient is what keeps training alive there.
  Sqrt: (g, node) => {
    const y = node.outputs[0]!
    return [masked(g.mul(0.5).div(y.greater(0).where(y, 1)), y.greater(0))]
  },
  Reciprocal: unary((x) => inverse(x).square().neg()),
  // A product with 0 and 1, which the runtime computes several times faster than Where.
  Relu: unary((_, y) => y.greater(0).cast('float32')),
  Sigmoid: unary((_, y) => y.sub(y.square())),
  Tanh: unary((_, y) => y.square().neg().add(1)),
  Softplus: unary((x) => x.sigmoid()),
  Sin: unary((x) => x.cos()),
  Cos: unary((x) => x.sin().neg()),
  // At ±1 the slope is infinite; no gradient is what keeps training alive there.
  Acos: (g, node) => {
    const rest = inputsOf(node)[0]!.square().neg().add(1)
    return [masked(g.neg().div(rest.greater(0).where(rest, 1).sqrt()), rest.greater(0))]
  },
  Where: operands((g, [condition]) => [undefined, masked(g, condition!), masked(g, condition!.not())]),
  Cast: (g, node) => [inputsOf(node)[0]!.dtype === 'float32' ? g : undefined],
  Identity: (g) => [g],
  Equal: none,
  Greater: none,
  GreaterOrEqual: none,
  Less: none,
  LessOrEqual: none,
  And: none,
  Or: none,
  Not: none,
}
