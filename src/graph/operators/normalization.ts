/** Operators that normalise along axes. */
import { GraphError } from '../../errors.ts'
import { describe, sameShape } from '../../tensor.ts'
import { broadcast, expectDType, type Infer, normalizeAxis, required } from './operator.ts'

const along: Infer = (inputs, { axis = -1 }) => {
  const x = required(inputs, 0)
  expectDType(x, 'float32')
  normalizeAxis(axis as number, x.shape.length)
  return [{ dtype: x.dtype, shape: x.shape }]
}

const lpNormalization: Infer = (inputs, attributes) => {
  const { p = 2 } = attributes
  if (p !== 1 && p !== 2) throw new GraphError(`p is ${p}, expected 1 or 2`)
  return along(inputs, attributes)
}

/**
 * Over the axes from `axis` on; scale and bias have their shape. The second and third output are the mean and the inverse of
 * the standard deviation.
 */
const layerNormalization: Infer = (inputs, attributes) => {
  const { axis = -1 } = attributes
  const x = required(inputs, 0)
  const start = normalizeAxis(axis as number, x.shape.length)
  const rest = x.shape.slice(start)
  for (const each of [required(inputs, 1), inputs[2]]) {
    if (each && !sameShape(broadcast([each.shape, rest]), rest)) {
      throw new GraphError(`${describe(each)} does not broadcast to the normalised axes [${rest.join(', ')}]`)
    }
  }
  const statistics = { dtype: x.dtype, shape: x.shape.map((extent, i) => (i < start ? extent : 1)) }
  return [...along(inputs, attributes), statistics, statistics]
}

/** Over the spatial axes of each example's channels. */
const instanceNormalization: Infer = (inputs) => {
  const x = required(inputs, 0)
  if (x.shape.length < 3) throw new GraphError(`expected [n, channels, …spatial], found ${describe(x)}`)
  for (const each of [required(inputs, 1), required(inputs, 2)]) {
    if (!sameShape(each.shape, [x.shape[1]!])) {
      throw new GraphError(`${describe(each)} does not have one element for each of ${x.shape[1]} channels`)
    }
  }
  return [{ dtype: x.dtype, shape: x.shape }]
}

export const normalization: Readonly<Record<string, Infer>> = {
  Softmax: along,
  LogSoftmax: along,
  LpNormalization: lpNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
}
