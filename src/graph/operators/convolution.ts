/** Convolution, pooling, batch normalisation and resampling of images [n, channels, …spatial]. */
import { GraphError } from '../../errors.ts'
import { describe, sameShape, type TensorType } from '../../tensor.ts'
import { type Attributes, expectRank, type Infer, integers, required } from './operator.ts'
import { resize } from './resize.ts'

type Window = ReturnType<typeof windowOf>

/**
 * The attributes of a sliding window, with ONNX's defaults filled in.
 *
 * @throws GraphError if there are not as many of them as the window has axes, or they are no sizes.
 */
export function windowOf(attributes: Attributes, kernelShape: readonly number[]) {
  const axes = kernelShape.length
  if ((attributes.auto_pad ?? 'NOTSET') !== 'NOTSET') {
    throw new GraphError(`auto_pad ${attributes.auto_pad} is not supported: state the pads`)
  }
  const kernel = sizes(attributes, 'kernel_shape', axes, 1) ?? kernelShape
  if (!sameShape(kernel, kernelShape)) {
    throw new GraphError(`kernel_shape is [${kernel.join(', ')}], that of the weights [${kernelShape.join(', ')}]`)
  }
  return {
    kernel,
    strides: sizes(attributes, 'strides', axes, 1) ?? Array<number>(axes).fill(1),
    dilations: sizes(attributes, 'dilations', axes, 1) ?? Array<number>(axes).fill(1),
    pads: sizes(attributes, 'pads', 2 * axes, 0) ?? Array<number>(2 * axes).fill(0),
    group: sizes(attributes, 'group', 1, 1)?.[0] ?? 1,
  }
}

/** An attribute of `count` whole numbers of at least `least`; undefined if it is left out. */
function sizes(attributes: Attributes, name: string, count: number, least: number): readonly number[] | undefined {
  const said = attributes[name]
  if (said === undefined) return undefined
  const found = [said].flat() as readonly number[]
  if (found.length === count && found.every((each) => Number.isInteger(each) && each >= least)) return found
  const expected = count === 1 ? 'a whole number' : `${count} whole numbers`
  throw new GraphError(`${name} is [${found.join(', ')}]; expected ${expected} of at least ${least}`)
}

/** How many places a window takes along each spatial axis. */
function places(x: TensorType, { kernel, strides, dilations, pads }: Window): number[] {
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
  const [outputs, channels] = weight.shape as [number, number]
  const fits = x.shape.length === weight.shape.length && x.shape[1] === channels * window.group
  if (!fits || x.shape.length < 3 || outputs % window.group !== 0) throw unlike(x, weight, window)
  expectChannels(weight)
  expectBias(inputs[2], outputs)
  return [{ dtype: x.dtype, shape: [x.shape[0]!, outputs, ...places(x, window)] }]
}

const convTranspose: Infer = (inputs, attributes) => {
  const [x, weight] = [required(inputs, 0), required(inputs, 1)]
  const window = windowOf(attributes, weight.shape.slice(2))
  const outputs = weight.shape[1]! * window.group
  const fits = x.shape.length === weight.shape.length && x.shape[1] === weight.shape[0]
  if (!fits || x.shape.length < 3 || x.shape[1]! % window.group !== 0) throw unlike(x, weight, window)
  expectChannels(weight)
  expectBias(inputs[2], outputs)
  return [{ dtype: x.dtype, shape: [x.shape[0]!, outputs, ...covered(x, window, attributes)] }]
}

function unlike(x: TensorType, weight: TensorType, { group }: Window): GraphError {
  return new GraphError(`${describe(x)} does not fit the weights ${describe(weight)} in ${group} groups`)
}

function expectChannels(weight: TensorType): void {
  if (weight.shape[0]! > 0 && weight.shape[1]! > 0) return
  throw new GraphError(`the weights ${describe(weight)} have no channels; expected at least 1`)
}

function expectBias(bias: TensorType | undefined, outputs: number): void {
  if (!bias || sameShape(bias.shape, [outputs])) return
  throw new GraphError(`the bias ${describe(bias)} does not fit ${outputs} output channels; expected [${outputs}]`)
}

/** The extents that windows cover, one for each place of `x`. */
function covered(x: TensorType, { kernel, strides, dilations, pads }: Window, attributes: Attributes): number[] {
  const extra = sizes(attributes, 'output_padding', kernel.length, 0)
  return kernel.map((extent, i) => {
    const more = extra?.[i] ?? 0
    // The runtime allows less than the dilation too, but then the gradient, a convolution, has more places than `x`.
    if (more >= strides[i]!) {
      throw new GraphError(
        `output_padding is [${extra!.join(', ')}]; expected less than the strides [${strides.join(', ')}]`,
      )
    }
    const reach = (x.shape[i + 2]! - 1) * strides[i]! + (extent - 1) * dilations[i]! + 1
    const result = reach + more - pads[i]! - pads[i + kernel.length]!
    if (result < 1)
      throw new GraphError(`pads [${pads.join(', ')}] leave nothing of the ${reach} places of axis ${i + 2}`)
    return result
  })
}

/** Where a pool's windows lie. */
function pooled(x: TensorType, attributes: Attributes): number[] {
  const kernel = [attributes.kernel_shape ?? []].flat() as readonly number[]
  if (kernel.length !== x.shape.length - 2 || kernel.length === 0) {
    throw new GraphError(`kernel_shape is [${kernel.join(', ')}], which does not fit ${describe(x)}`)
  }
  const window = windowOf(attributes, kernel)
  const { pads } = window
  // The runtime looks at the window without its dilations.
  if (pads.some((pad, i) => pad >= kernel[i % kernel.length]!)) {
    throw new GraphError(`pads is [${pads.join(', ')}]; expected less than the window [${kernel.join(', ')}]`)
  }
  return [...x.shape.slice(0, 2), ...places(x, window)]
}

const maxPool: Infer = (inputs, attributes) => {
  const x = required(inputs, 0)
  const shape = pooled(x, attributes)
  return [
    { dtype: x.dtype, shape },
    { dtype: 'int64', shape },
  ]
}

const averagePool: Infer = (inputs, attributes) => {
  const x = required(inputs, 0)
  return [{ dtype: x.dtype, shape: pooled(x, attributes) }]
}

const globalPool: Infer = (inputs) => {
  const x = required(inputs, 0)
  if (x.shape.length < 3) throw new GraphError(`expected [n, channels, …places], found ${describe(x)}`)
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
