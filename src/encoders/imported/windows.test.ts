/** Sliding windows of files whose sizes do not add up: refused by node. */
import { expect, test } from 'vitest'
import { changed, read, trained } from '../../../test/imported.ts'
import { node, type Written, weights } from '../../../test/onnx.ts'
import { DataError } from '../../errors.ts'

type Said = Parameters<typeof node>[3]

const initializers = { w: weights([2, 3, 3, 3]), t: weights([3, 2, 3, 3]), b: weights([5]) }

const written = (operator: string, inputs: string[], said: Said): Written => ({
  nodes: [node(operator, inputs, ['out'], said)],
  initializers,
  inputs: { image: ['float32', 'n', 3, 7, 6] },
})

const windows: Record<string, string[]> = {
  Conv: ['image', 'w'],
  ConvTranspose: ['image', 't'],
  MaxPool: ['image'],
  AveragePool: ['image'],
}
const kernel_shape = [3, 3]

test.each(Object.keys(windows))('%s with settings that are no sizes', async (operator) => {
  const refused = async (said: Said, message: RegExp, inputs = windows[operator]!) => {
    const reading = read(written(operator, inputs, { kernel_shape, ...said }))
    await expect(reading).rejects.toThrow(DataError)
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toThrow(`${operator} (${operator} to out) cannot be built.`)
  }
  await refused({ strides: [0, 1] }, /strides is \[0, 1\]; expected 2 whole numbers of at least 1\./)
  await refused({ strides: [2] }, /strides is \[2\]; expected 2 whole numbers of at least 1\./)
  await refused({ strides: 2 }, /strides is \[2\]; expected 2 whole numbers/)
  await refused({ dilations: [0, 0] }, /dilations is \[0, 0\]; expected 2 whole numbers/)
  await refused({ pads: [1, 1] }, /pads is \[1, 1\]; expected 4 whole numbers of at least 0\./)
  await refused({ pads: 1 }, /pads is \[1\]; expected 4 whole numbers/)
  await refused({ kernel_shape: [3] }, /kernel_shape is \[3\]/)
  if (operator === 'MaxPool') {
    await refused({ strides: [0, 1], ceil_mode: 1 }, /strides is \[0, 1\]/)
    await refused(
      { kernel_shape: [3, 3, 3], auto_pad: 'SAME_UPPER' },
      /kernel_shape is \[3, 3, 3\], which does not fit/,
    )
  }
  if (operator === 'Conv') await refused({ strides: [0, 1], auto_pad: 'SAME_UPPER' }, /strides is \[0, 1\]/)
  if (operator.startsWith('Conv')) {
    await refused({}, /the bias .* does not fit 2 output channels; expected \[2\]/, [...windows[operator]!, 'b'])
    await refused({ kernel_shape: [3, 2] }, /kernel_shape is \[3, 2\], that of the weights \[3, 3\]/)
  }
})

test('an output shape that a transposed convolution is to have', async () => {
  await expect(read(written('ConvTranspose', ['image', 't'], { output_shape: [8, 8] }))).rejects.toThrow(
    /ConvTranspose \(ConvTranspose to out\) uses output_shape, for which there is no rule here\. Export it with pads stated\./,
  )
})

test('pads that are automatic in no way that ONNX has', async () => {
  await expect(read(written('Conv', ['image', 'w'], { auto_pad: 'SAME' }))).rejects.toThrow(
    /Conv \(Conv to out\) uses auto_pad SAME, for which there is no rule here\. Export it with pads stated\./,
  )
})

test('a number for each setting of a window of one axis', async () => {
  const encoder = await read({
    nodes: [
      node('Conv', ['x', 'w'], ['h'], { kernel_shape: 3, strides: 2, dilations: 1, pads: [1, 1] }),
      node('ConvTranspose', ['h', 't'], ['up'], { strides: 2, output_padding: 1 }),
      node('MaxPool', ['up'], ['pooled'], { kernel_shape: 2, strides: 2 }),
      node('ReduceMean', ['pooled'], ['out'], { axes: [2], keepdims: 0 }),
    ],
    initializers: { w: weights([4, 3, 3]), t: weights([4, 2, 3]) },
    inputs: { x: ['float32', 'n', 3, 9] },
  })
  expect(changed(encoder, await trained(encoder, { x: weights([6, 3, 9]) }))).toEqual(['w', 't'])
})
