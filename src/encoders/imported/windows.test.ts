/** Sliding windows of files whose sizes do not add up: refused by node. */
import { expect, test } from 'vitest'
import { read } from '../../../test/imported.ts'
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
