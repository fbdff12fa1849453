/** Convolutions of small images side by side, or in blocks of channels, give what plain ones give. */
import { expect, test } from 'vitest'
import { expectCompiledSame } from '../../../test/compiled.ts'
import { expectClose } from '../../../test/tolerance.ts'
import { writeModel } from '../../onnx/codec.ts'
import { random } from '../../random.ts'
import { open } from '../../runtime/node.ts'
import { size, type Tensor } from '../../tensor.ts'
import { forCpu } from '../for-cpu.ts'
import { rewrite } from '../rewrite.ts'
import { toModel } from '../to-onnx.ts'
import { input, one, type Value } from '../value.ts'

const { uniforms } = random(0, 'convolutions')
const filled = (shape: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: uniforms(size(shape), -1, 1),
})

async function run(outputs: Record<string, Value>, feeds: Record<string, Tensor>) {
  const program = await open(writeModel(toModel(outputs)), { threads: 2 })
  const { y } = await program.run(feeds)
  await program.release()
  return y!
}

test.each<[string, number[], number[], number[]]>([
  ['same size', [3, 3], [1, 1, 1, 1], [1, 1]],
  ['no padding', [3, 3], [0, 0, 0, 0], [1, 1]],
  ['padded on one side', [3, 2], [1, 1, 0, 0], [1, 1]],
  ['padded on the other side', [2, 3], [0, 0, 1, 2], [1, 1]],
  ['padded to the full', [3, 3], [2, 2, 2, 2], [1, 1]],
  ['apart', [3, 3], [2, 2, 2, 2], [2, 2]],
  ['one column', [3, 1], [1, 0, 1, 0], [1, 1]],
])('%s', async (_, kernel, pads, dilations) => {
  const shapes = { x: [9, 16, 5, 6], w: [7, 16, ...kernel], b: [7] }
  const [x, w, b] = Object.entries(shapes).map(([name, shape]) => input(name, 'float32', shape)) as [
    Value,
    Value,
    Value,
  ]
  const plain = { y: one('Conv', [x, w, b], { kernel_shape: kernel, pads, dilations }) }
  const rewritten = rewrite(plain, forCpu())
  expect(rewritten.y).not.toBe(plain.y)
  expect(rewritten.y!.shape).toEqual(plain.y.shape)
  const feeds = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, filled(shape)]))
  expectClose((await run(rewritten, feeds)).data, (await run(plain, feeds)).data, 'convolution')
})

test.each<[string, number[], number[], Record<string, number | number[]>]>([
  ['large images', [9, 16, 8, 8], [7, 16, 3, 3], {}],
  ['few channels', [9, 3, 5, 5], [7, 3, 3, 3], {}],
  ['few images', [4, 16, 5, 5], [7, 16, 3, 3], {}],
  ['strides', [9, 16, 5, 5], [7, 16, 3, 3], { strides: [2, 2] }],
  ['groups', [9, 16, 5, 5], [8, 8, 3, 3], { group: 2 }],
  ['single pixels', [9, 16, 5, 5], [7, 16, 1, 1], {}],
  ['more padding than the window reaches', [9, 16, 5, 5], [7, 16, 3, 3], { pads: [3, 3, 3, 3] }],
])('%s are left as they are', (_, xShape, wShape, attributes) => {
  const y = one('Conv', [input('x', 'float32', xShape), input('w', 'float32', wShape)], attributes)
  expect(rewrite({ y }, forCpu()).y).toBe(y)
})

test.each<[string, number[], number[], Record<string, number[]>]>([
  ['same size', [2, 32, 9, 10], [48, 32, 3, 3], { pads: [1, 1, 1, 1] }],
  ['strides', [3, 16, 9, 10], [16, 16, 3, 2], { strides: [2, 3] }],
  ['dilations and uneven pads', [1, 16, 9, 10], [32, 16, 3, 3], { dilations: [2, 2], pads: [0, 1, 3, 2] }],
  ['one column', [5, 16, 4, 1], [16, 16, 3, 1], { pads: [1, 0, 1, 0] }],
])('in blocks of channels, %s', async (_, xShape, wShape, attributes) => {
  const shapes = { x: xShape, w: wShape, b: [wShape[0]!] }
  const [x, w, b] = Object.entries(shapes).map(([name, shape]) => input(name, 'float32', shape)) as [
    Value,
    Value,
    Value,
  ]
  const plain = { y: one('Conv', [x, w, b], attributes), withoutBias: one('Conv', [x, w], attributes) }
  expect(rewrite(plain, forCpu(16)).y!.node!.operator).toBe('com.microsoft.nchwc.ReorderOutput')
  const feeds = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, filled(shape)]))
  // As this processor has it, if it has such convolutions at all.
  await expectCompiledSame(plain, feeds)
})

test.each<[string, number[], number[], Record<string, number>]>([
  ['channels between blocks', [2, 24, 9, 9], [16, 24, 3, 3], {}],
  ['outputs between blocks', [2, 16, 9, 9], [24, 16, 3, 3], {}],
  ['groups', [2, 32, 9, 9], [32, 16, 3, 3], { group: 2 }],
  ['windows of a line', [2, 16, 9], [16, 16, 3], {}],
])('%s do not go in blocks', (_, xShape, wShape, attributes) => {
  const y = one('Conv', [input('x', 'float32', xShape), input('w', 'float32', wShape)], attributes)
  expect(rewrite({ y }, forCpu(16)).y).toBe(y)
})
