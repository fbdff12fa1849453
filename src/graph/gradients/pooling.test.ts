/** Gradients of pooling in other settings than the reference has, against finite differences. */
import { expect, test } from 'vitest'
import { expectDifferences } from '../../../test/differences.ts'
import { node } from '../../../test/onnx.ts'
import { attributesOf } from '../../encoders/imported/attributes.ts'
import { input, one, type Value } from '../value.ts'

type Said = Record<string, number | readonly number[]>

const averaged = (said: Said) => (inputs: Value[]) => one('AveragePool', inputs, said)
const largest = (said: Said) => (inputs: Value[]) => one('MaxPool', inputs, said)

/** With `ceil_mode`, which stands in files alone: it is read as the pads that it comes to. */
const rounded = (operator: string, said: Said) => (inputs: Value[]) =>
  one(operator, inputs, attributesOf(node(operator, ['x'], ['y'], { ...said, ceil_mode: 1 }), inputs))

const [twos, threes] = [
  [2, 2],
  [3, 3],
]

test.each<[string, (inputs: Value[]) => Value, number[]]>([
  [
    'AveragePool that counts the padding',
    averaged({ kernel_shape: threes, strides: twos, pads: [1, 1, 1, 1], count_include_pad: 1 }),
    [2, 2, 5, 4],
  ],
  [
    'AveragePool that counts the padding, of one side alone',
    averaged({ kernel_shape: twos, pads: [1, 0, 0, 1], count_include_pad: 1 }),
    [1, 2, 3, 4],
  ],
  [
    'AveragePool that leaves it out, of one side alone',
    averaged({ kernel_shape: twos, pads: [1, 0, 0, 1] }),
    [1, 2, 3, 4],
  ],
  ['AveragePool without padding, windows that overlap', averaged({ kernel_shape: [3] }), [2, 2, 6]],
  ['AveragePool with a rest that no window covers', averaged({ kernel_shape: twos, strides: threes }), [1, 2, 7, 6]],
  [
    'AveragePool with places between, padded',
    averaged({ kernel_shape: [2], strides: [2], dilations: [2], pads: [1, 1] }),
    [1, 2, 7],
  ],
  [
    'AveragePool with places between, the padding counted',
    averaged({ kernel_shape: [2], strides: [2], dilations: [2], pads: [1, 1], count_include_pad: 1 }),
    [1, 2, 7],
  ],
  ['AveragePool of volumes', averaged({ kernel_shape: [2, 1, 2], strides: [1, 2, 2] }), [1, 2, 3, 3, 4]],
  [
    'AveragePool, rounded up where the windows end at the edge',
    rounded('AveragePool', { kernel_shape: threes, strides: twos, pads: [0, 0, 1, 1], count_include_pad: 1 }),
    [1, 2, 4, 6],
  ],
  ['MaxPool, padded on one side alone', largest({ kernel_shape: twos, pads: [1, 0, 0, 1] }), [1, 2, 3, 3]],
  ['MaxPool with a rest that no window covers', largest({ kernel_shape: twos, strides: twos }), [1, 2, 5, 3]],
  ['MaxPool, rounded up', rounded('MaxPool', { kernel_shape: twos, strides: twos }), [1, 2, 5, 3]],
  [
    'MaxPool, rounded up, padded and overlapping',
    rounded('MaxPool', { kernel_shape: threes, strides: twos, pads: [1, 1, 1, 1] }),
    [1, 2, 4, 4],
  ],
])('%s', (_, f, shape) => expectDifferences(f, [shape]))

test('rounding up adds a window where there is a rest, and none that would begin in the padding', () => {
  const extents = (said: Said, extent: number) =>
    rounded('MaxPool', said)([input('x', 'float32', [1, 1, extent])]).shape[2]
  expect(extents({ kernel_shape: [2], strides: [2] }, 5)).toBe(3)
  expect(extents({ kernel_shape: [2], strides: [2] }, 4)).toBe(2)
  // The third window would begin at place 6, after the padding behind the five.
  expect(extents({ kernel_shape: [2], strides: [3], pads: [0, 1] }, 5)).toBe(2)
})
