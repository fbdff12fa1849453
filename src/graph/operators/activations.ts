/** Activation functions: element by element, some with a slope or bounds of their own. */
import { GraphError } from '../../errors.ts'
import { describe, sameShape } from '../../tensor.ts'
import { broadcast, type Infer, required, unary } from './operator.ts'

const gelu: Infer = (inputs, { approximate = 'none' }) => {
  if (approximate !== 'none' && approximate !== 'tanh') {
    throw new GraphError(`approximate is ${approximate}, expected none or tanh`)
  }
  return unary(inputs, {})
}

/** The slope has one element for all, or broadcasts to x in one direction only. */
const prelu: Infer = (inputs) => {
  const [x, slope] = [required(inputs, 0), required(inputs, 1)]
  if (!sameShape(broadcast([x.shape, slope.shape]), x.shape)) {
    throw new GraphError(`the slope ${describe(slope)} does not broadcast to ${describe(x)}`)
  }
  return unary(inputs, {})
}

const clip: Infer = (inputs, attributes) => {
  for (const bound of inputs.slice(1)) {
    if (bound && bound.shape.length > 0) throw new GraphError(`a bound is ${describe(bound)}, expected a scalar`)
  }
  return unary(inputs, attributes)
}

export const activations: Readonly<Record<string, Infer>> = {
  Erf: unary,
  HardSwish: unary,
  HardSigmoid: unary,
  Softsign: unary,
  Elu: unary,
  Selu: unary,
  LeakyRelu: unary,
  Gelu: gelu,
  PRelu: prelu,
  Clip: clip,
}
