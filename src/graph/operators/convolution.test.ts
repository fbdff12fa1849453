/** Windows whose sizes do not add up are refused where a graph is built. */
import { expect, test } from 'vitest'
import { GraphError } from '../../errors.ts'
import { apply, input, type Value } from '../value.ts'
import type { Attributes } from './operator.ts'

const x = (...shape: number[]) => input('x', 'float32', shape)
const image = x(2, 3, 7, 6)
const weight = (...shape: number[]) => input('w', 'float32', shape)
const bias = (...shape: number[]) => input('b', 'float32', shape)
const w = weight(4, 3, 3, 3)
const back = weight(3, 4, 3, 3)

test.each<[string, Value[], Attributes, string]>([
  ['Conv', [image, w], { strides: [0, 1] }, 'strides is [0, 1]; expected 2 whole numbers of at least 1.'],
  ['Conv', [image, w], { strides: [2] }, 'strides is [2]; expected 2 whole numbers of at least 1.'],
  ['Conv', [image, w], { strides: 2 }, 'strides is [2]; expected 2 whole numbers of at least 1.'],
  ['Conv', [image, w], { dilations: [1, 0] }, 'dilations is [1, 0]; expected 2 whole numbers of at least 1.'],
  ['Conv', [image, w], { pads: [1, 1] }, 'pads is [1, 1]; expected 4 whole numbers of at least 0.'],
  ['Conv', [image, w], { pads: [0, 0, -1, 0] }, 'pads is [0, 0, -1, 0]; expected 4 whole numbers of at least 0.'],
  ['Conv', [image, w], { kernel_shape: [3] }, 'kernel_shape is [3]; expected 2 whole numbers of at least 1.'],
  ['Conv', [image, w], { kernel_shape: [3, 2] }, 'kernel_shape is [3, 2], that of the weights [3, 3].'],
  ['Conv', [image, w], { group: 0 }, 'group is [0]; expected a whole number of at least 1.'],
  [
    'Conv',
    [x(2, 6, 7, 6), weight(3, 3, 3, 3)],
    { group: 2 },
    'does not fit the weights float32 [3, 3, 3, 3] in 2 groups',
  ],
  ['Conv', [x(2, 3), weight(4, 3)], {}, 'float32 [2, 3] does not fit the weights float32 [4, 3]'],
  ['Conv', [image, weight(4, 3, 8, 3)], {}, 'a window of [8, 3] does not fit into float32 [2, 3, 7, 6].'],
  ['Conv', [image, w, bias(3)], {}, 'the bias float32 [3] does not fit 4 output channels; expected [4].'],
  ['Conv', [image, w, bias(4, 1)], {}, 'the bias float32 [4, 1] does not fit 4 output channels; expected [4].'],
  ['ConvTranspose', [image, back], { strides: [1, 0] }, 'strides is [1, 0]; expected 2 whole numbers of at least 1.'],
  [
    'ConvTranspose',
    [image, back],
    { pads: [9, 0, 0, 0] },
    'pads [9, 0, 0, 0] leave nothing of the 9 places of axis 2.',
  ],
  ['ConvTranspose', [image, back], { output_padding: [1] }, 'output_padding is [1]; expected 2 whole numbers'],
  [
    'ConvTranspose',
    [image, back],
    { output_padding: [1, 0] },
    'output_padding is [1, 0]; expected less than the strides [1, 1].',
  ],
  [
    'ConvTranspose',
    [image, back],
    { output_padding: [1, 1], dilations: [2, 2] },
    'output_padding is [1, 1]; expected less than the strides [1, 1].',
  ],
  ['Conv', [image, weight(0, 3, 3, 3)], {}, 'the weights float32 [0, 3, 3, 3] have no channels; expected at least 1.'],
  ['ConvTranspose', [image, weight(3, 0, 3, 3)], {}, 'the weights float32 [3, 0, 3, 3] have no channels'],
  ['ConvTranspose', [image, w], {}, 'float32 [2, 3, 7, 6] does not fit the weights float32 [4, 3, 3, 3] in 1 groups.'],
  ['ConvTranspose', [image, weight(3, 4, 3)], {}, 'does not fit the weights float32 [3, 4, 3] in 1 groups.'],
  ['ConvTranspose', [image, back, bias(3)], {}, 'the bias float32 [3] does not fit 4 output channels; expected [4].'],
  ...['MaxPool', 'AveragePool'].flatMap((operator): [string, Value[], Attributes, string][] => {
    const kernel = [2, 2]
    return [
      [operator, [image], {}, 'kernel_shape is [], which does not fit float32 [2, 3, 7, 6].'],
      [operator, [image], { kernel_shape: [2] }, 'kernel_shape is [2], which does not fit float32 [2, 3, 7, 6].'],
      [operator, [image], { kernel_shape: [0, 2] }, 'kernel_shape is [0, 2]; expected 2 whole numbers of at least 1.'],
      [operator, [image], { kernel_shape: kernel, strides: [0, 1] }, 'strides is [0, 1]; expected 2 whole numbers'],
      [operator, [image], { kernel_shape: kernel, dilations: [0, 1] }, 'dilations is [0, 1]; expected 2 whole numbers'],
      [operator, [image], { kernel_shape: kernel, pads: [1] }, 'pads is [1]; expected 4 whole numbers of at least 0.'],
      [operator, [image], { kernel_shape: kernel, pads: [2, 0, 0, 0] }, 'expected less than the window [2, 2].'],
      [operator, [image], { kernel_shape: [8, 2] }, 'a window of [8, 2] does not fit into float32 [2, 3, 7, 6].'],
    ]
  }),
  ['GlobalAveragePool', [x(2, 3)], {}, 'expected [n, channels, …places], found float32 [2, 3].'],
])('%s, case %#', (operator, inputs, attributes, message) => {
  expect(() => apply(operator, inputs, attributes)).toThrow(GraphError)
  expect(() => apply(operator, inputs, attributes)).toThrow(message)
})

test('windows that fit have the extents that they should', () => {
  const shape = (operator: string, inputs: Value[], attributes: Attributes) =>
    apply(operator, inputs, attributes)[0]!.shape
  expect(shape('Conv', [image, w, bias(4)], { strides: [2, 1], pads: [1, 0, 1, 2] })).toEqual([2, 4, 4, 6])
  expect(shape('ConvTranspose', [image, back], { strides: [2, 1], output_padding: [1, 0] })).toEqual([2, 4, 16, 8])
  expect(shape('MaxPool', [image], { kernel_shape: [2, 3], dilations: [2, 1], pads: [1, 0, 1, 2] })).toEqual([
    2, 3, 7, 6,
  ])
})
