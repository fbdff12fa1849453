/** Gradients of the activation functions. */
import type { Node } from '../node.ts'
import { one, scalar, type Value } from '../value.ts'
import { inputsOf, masked, type Rules, unary, unbroadcast } from './rule.ts'

function bit(condition: Value): Value {
  return condition.cast('float32')
}

/** The slope above zero, and another below. */
function either(x: Value, above: Value | number, below: Value | number): Value {
  return x.greater(0).where(above, below)
}

/**
 * Φ(x) + x φ(x), with the normal distribution's Φ and φ: ½ + ½ erf z + z exp(−z²)/√π for z = x/√2. HardSigmoid halves and
 * shifts in one pass, and what it cuts off, erf never reaches; the constant factor lies in the exponent.
 */
function geluExact(x: Value): Value {
  const z = x.mul(Math.SQRT1_2)
  const cumulative = one('HardSigmoid', [one('Erf', [z])], { alpha: 0.5, beta: 0.5 })
  const density = scalar(-Math.log(Math.PI) / 2)
    .sub(z.square())
    .exp()
  return cumulative.add(z.mul(density))
}

/** Of ½ x (1 + tanh u), u = √(2/π) (x + 0.044715 x³). */
function geluTanh(x: Value): Value {
  const square = x.square()
  const factor = Math.sqrt(2 / Math.PI)
  const t = x.mul(square.mul(0.044715).add(1)).mul(factor).tanh()
  const inner = square
    .mul(3 * 0.044715)
    .add(1)
    .mul(factor)
  return t
    .add(1)
    .mul(0.5)
    .add(x.mul(0.5).mul(t.square().neg().add(1)).mul(inner))
}

/** To x between the bounds, ends included; the bounds are settings. */
function clip(g: Value, node: Node): readonly Value[] {
  const [x, least, most] = node.inputs as [Value, Value | undefined, Value | undefined]
  const inside = [least && x.greaterEqual(least), most && x.lessEqual(most)].filter((each) => each !== undefined)
  return [inside.reduce(masked, g)]
}

export const activations: Rules = {
  Erf: unary((x) =>
    x
      .square()
      .neg()
      .exp()
      .mul(2 / Math.sqrt(Math.PI)),
  ),
  // x · min(max(x/6 + ½, 0), 1)
  HardSwish: unary((x) => bit(x.greaterEqual(3)).add(bit(x.greater(-3).and(x.less(3))).mul(x.div(3).add(0.5)))),
  HardSigmoid: unary((_, y, { alpha = 0.2 }) => bit(y.greater(0).and(y.less(1))).mul(alpha)),
  Softsign: unary((x) => x.abs().add(1).square().reciprocal()),
  Elu: unary((x, y, { alpha = 1 }) => either(x, 1, y.add(alpha))),
  // The defaults are those of the ONNX specification.
  Selu: unary((x, y, { alpha = 1.6732631921768188, gamma = 1.0507010221481323 }) =>
    either(x, gamma, y.add(gamma * alpha)),
  ),
  LeakyRelu: unary((x, _, { alpha = 0.01 }) => either(x, 1, alpha)),
  Gelu: (g, node) => {
    const x = inputsOf(node)[0]!
    return [g.mul(node.attributes.approximate === 'tanh' ? geluTanh(x) : geluExact(x))]
  },
  PRelu: (g, node) => {
    const [x, slope] = inputsOf(node) as [Value, Value]
    return [g.mul(either(x, 1, slope)), unbroadcast(g.mul(x.minimum(0)), slope.shape)]
  },
  Clip: clip,
}
