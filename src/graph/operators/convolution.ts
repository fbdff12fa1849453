/** Convolution, pooling, batch normalisation and resampling of images [n, channels, …spatial]. */
import { GraphError } from '../../errors.ts'
import { describe, type TensorType } from '../../tensor.ts'
import { type Attributes, expectRank, type Infer, integers, required } from './operator.ts'
import { resize } from './resize.ts'

/** The attributes of a sliding window, with ONNX's defaults filled in. */
export function windowOf(attributes: Attributes, kernelShape: readonly number[]) {
  const axes = kernelShape.length
  if ((attributes.auto_pad ?? 'NOTSET') !== 'NOTSET') {
    throw new GraphError(`auto_pad ${attributes.auto_pad} is not supported: state the pads`)
  }
  return {
    kernel: kernelShape,
    strides: (attributes.strides as readonly number[] | undefined) ?? Array<number>(axes).fill(1),
    dilations: (attributes.dilations as readonly number[] | undefined) ?? Array<number>(axes).fill(1),
    pads: (attributes.pads as readonly number[] | undefined) ?? Array<number>(2 * axes).fill(0),
    group: (attributes.group as number | undefined) ?? 1,
  }
}

/** How many places a window takes along each spatial axis. */
function places(x: TensorType, { kernel, strides, dilations, pads }: ReturnType<typeof windowOf>): number[] {
  return kernel.map((extent, i) => {
    const padded = x.shape[i + 2]! + pads[i]! + pads[i + kernel.length]!
    const count = Math.floor((padded - (extent - 1) * dilations[i]! - 1) / strides[i]!) + 1
    if (count < 1) throw new GraphError(`a window of [${kernel.join(', ')}] does not fit into ${describe(x)}`)
    return count
  })
}

const conv: Infer = (inputs, attributes) => {
  const [x, weight] = [required(inputs, 0), required(inputs, 1)]
  const window = windowOf(attributes, weight.shape.slice(2))
  if (x.shape.length !== weight.shape.length || x.shape[1] !== weight.shape[1]! * window.group) {
    throw new GraphError(`${describe(x)} does not fit the weights ${describe(weight)} in ${window.group} groups`)
  }
  return [{ dtype: x.dtype, shape: [x.shape[0]!, weight.shape[0]!, ...places(x, window)] }]
}

const convTranspose: Infer = (inputs, attributes) => {
  const [x, weight] = [required(inputs, 0), required(inputs, 1)]
  const { kernel, strides, dilations, pads, group } = windowOf(attributes, weight.shape.slice(2))
  const extra = attributes.output_padding as readonly number[] | undefined
  const spatial = kernel.map(
    (extent, i) =>
      (x.shape[i + 2]! - 1) * strides[i]! +
      (extent - 1) * dilations[i]! +
      1 +
      (extra?.[i] ?? 0) -
      pads[i]! -
      pads[i + kernel.length]!,
  )
  return [{ dtype: x.dtype, shape: [x.shape[0]!, weight.shape[1]! * group, ...spatial] }]
}

const maxPool: Infer = (inputs, attributes) => {
  const x = required(inputs, 0)
  const shape = [
    ...x.shape.slice(0, 2),
    ...places(x, windowOf(attributes, attributes.kernel_shape as readonly number[])),
  ]
  return [
    { dtype: x.dtype, shape },
    { dtype: 'int64', shape },
  ]
}

const averagePool: Infer = (inputs, attributes) => {
  const x = required(inputs, 0)
  const window = windowOf(attributes, attributes.kernel_shape as readonly number[])
  return [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...places(x, window)] }]
}

const globalPool: Infer = (inputs) => {
  const x = required(inputs, 0)
  return [{ dtype: x.dtype, shape: x.shape.map((extent, i) => (i < 2 ? extent : 1)) }]
}

/** In training mode the second and third output are the new running mean and variance. */
const batchNormalization: Infer = (inputs, { training_mode = 0 }) => {
  const x = required(inputs, 0)
  for (const i of [1, 2, 3, 4]) {
    const parameter = required(inputs, i)
    expectRank(parameter, 1)
    if (parameter.shape[0] !== x.shape[1]) {
      throw new GraphError(`${describe(parameter)} does not fit the ${x.shape[1]} channels of ${describe(x)}`)
    }
  }
  const channels = { dtype: x.dtype, shape: [x.shape[1]!] }
  return [{ dtype: x.dtype, shape: x.shape }, ...(training_mode ? [channels, channels] : [])]
}

const affineGrid: Infer = (inputs) => {
  const [n, , height, width] = integers(inputs, 1)
  return [{ dtype: required(inputs, 0).dtype, shape: [n!, height!, width!, 2] }]
}

const gridSample: Infer = (inputs) => {
  const [x, grid] = [required(inputs, 0), required(inputs, 1)]
  expectRank(x, 4)
  return [{ dtype: x.dtype, shape: [x.shape[0]!, x.shape[1]!, grid.shape[1]!, grid.shape[2]!] }]
}

export const convolution: Readonly<Record<string, Infer>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  BatchNormalization: batchNormalization,
  Resize: resize,
  AffineGrid: affineGrid,
  GridSample: gridSample,
}
