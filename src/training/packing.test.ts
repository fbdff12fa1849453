/** Packed graphs compute what unpacked ones do; what is not updated stays. */
import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { reach } from '../graph/to-onnx.ts'
import { input } from '../graph/value.ts'
import type { Tensors } from '../runtime/session.ts'
import { size, type TensorType } from '../tensor.ts'
import { NEXT } from './held.ts'
import { packing } from './packing.ts'

const types: Record<string, TensorType> = {
  'a.weight': { dtype: 'float32', shape: [2, 3] },
  'a.bias': { dtype: 'float32', shape: [3] },
  scale: { dtype: 'float32', shape: [] },
  large: { dtype: 'float32', shape: [200, 200] },
  'state a': { dtype: 'float32', shape: [3] },
  counts: { dtype: 'int32', shape: [2] },
}
const tensors: Tensors = Object.fromEntries(
  Object.entries(types).map(([name, { dtype, shape }], k) => {
    const values = Array.from({ length: size(shape) }, (_, i) => k + i)
    return [name, { dtype, shape, data: dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values) }]
  }),
)
const layout = packing(types, (name) => (name.startsWith('state') ? 'state' : 'parameters'))

test('what is packed is unpacked again, the large and what is no float32 as they are', () => {
  const packed = layout.pack(tensors)
  expect(Object.keys(packed).sort()).toEqual(['counts', 'large', 'packed parameters 0', 'packed state 1'])
  expect(packed['packed parameters 0']!.shape).toEqual([10])
  expect(layout.unpack(packed)).toEqual(tensors)
  expect(layout.holders(['a.bias', 'scale', 'large'])).toEqual(['packed parameters 0', 'large'])
})

test('a graph on vectors computes the same, and passes on what it does not change', async () => {
  const values = Object.fromEntries(
    Object.entries(types).map(([name, { dtype, shape }]) => [name, input(name, dtype, shape)]),
  )
  const outputs = {
    loss: values['a.weight']!.mul(values['a.bias']!).sum().add(values.large!.sum()),
    [`${NEXT}a.weight`]: values['a.weight']!.mul(values.scale!),
    [`${NEXT}scale`]: values.scale!.add(1),
    [`${NEXT}large`]: values.large!.mul(2),
  }
  const built = layout.build(outputs)
  expect([...reach(Object.values(built)).inputs.keys()]).toEqual(['large', 'packed parameters 0'])
  const program = await compile(built)
  const results = await program.run(layout.pack(tensors))
  await program.release()
  expect(Object.keys(results).sort()).toEqual(['loss', `${NEXT}large`, `${NEXT}packed parameters 0`])
  const after = layout.unpack(
    Object.fromEntries(Object.entries(results).map(([name, each]) => [name.replace(NEXT, ''), each])),
  )
  expect([...after['a.weight']!.data]).toEqual([0, 1, 2, 3, 4, 5].map((x) => x * 2))
  expect([...after.scale!.data]).toEqual([3])
  expect([...after['a.bias']!.data]).toEqual([1, 2, 3])
  expect(after.large!.data[5]).toBe(16)
  const plain = await compile({ loss: outputs.loss })
  expect(results.loss!.data).toEqual((await plain.run(tensors)).loss!.data)
  await plain.release()
})

const many = (count: number, length: number): Record<string, TensorType> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, { dtype: 'float32', shape: [length] }]))
const namesOf = (of: Record<string, TensorType>) => packing(of, () => 'all').holders(Object.keys(of))

test('vectors hold a bounded number of tensors', () => {
  expect(namesOf(many(100, 2))).toHaveLength(4)
})

test('vectors hold a bounded number of bytes, as what is larger than 64 KiB stands alone', () => {
  expect(namesOf(many(3, 2 ** 14 + 1))).toEqual(['t0', 't1', 't2'])
  const largest = many(40, 2 ** 14)
  const packed = packing(largest, () => 'all').pack(
    Object.fromEntries(
      Object.entries(largest).map(([name, type]) => [name, { ...type, data: new Float32Array(size(type.shape)) }]),
    ),
  )
  expect(Object.values(packed).map(({ data }) => data.byteLength)).toEqual([2 ** 21, 2 ** 19])
})
