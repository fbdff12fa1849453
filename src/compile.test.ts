import { expect, test } from 'vitest'
import { compile } from './compile.ts'
import { RuntimeError } from './errors.ts'
import { input } from './graph/value.ts'
import { open } from './runtime/node.ts'
import type { Tensor } from './tensor.ts'

const tensor = (data: Float32Array): Tensor => ({ dtype: 'float32', shape: [data.length], data })

test('outputs are written into the tensors that are given, and the others are new', async () => {
  const x = input('x', 'float32', [2])
  const program = await compile({ double: x.mul(2), square: x.square() })
  const into = tensor(new Float32Array(2))
  const results = await program.run({ x: tensor(Float32Array.of(3, 4)) }, { double: into })
  expect(results.double).toBe(into)
  expect([...into.data]).toEqual([6, 8])
  expect([...results.square!.data]).toEqual([9, 16])
  await program.release()
})

test('an output that shares memory with an input is refused, parts of a buffer included', async () => {
  const x = input('x', 'float32', [4])
  const program = await compile({ next: x.mul(2) })
  const memory = new Float32Array(6)
  const feed = tensor(memory.subarray(0, 4))
  await expect(program.run({ x: feed }, { next: feed })).rejects.toThrow(RuntimeError)
  await expect(program.run({ x: feed }, { next: tensor(memory.subarray(2, 6)) })).rejects.toThrow(
    'The output next would be written over the input x while it is read. Give it memory of its own.',
  )
  const apart = new Float32Array(8)
  await program.run({ x: tensor(apart.subarray(0, 4)) }, { next: tensor(apart.subarray(4)) })
  await program.release()
})

test('feeds are checked by name, type and shape', async () => {
  const program = await compile({ y: input('x', 'float32', [2]).exp() })
  await expect(program.run({})).rejects.toThrow('The input x, float32 [2], is missing.')
  await expect(program.run({ x: tensor(new Float32Array(3)) })).rejects.toThrow('takes float32 [2], found float32 [3]')
  await expect(program.run({ x: { dtype: 'int32', shape: [2], data: new Int32Array(2) } })).rejects.toThrow(
    /found int32/,
  )
  await program.release()
})

test('bytes that are no model are an error of one line', async () => {
  await expect(open(new Uint8Array([1, 2, 3]))).rejects.toThrow(RuntimeError)
  await expect(open(new Uint8Array([1, 2, 3]))).rejects.toThrow(/^ONNX Runtime cannot open the graph: [^\n]*$/)
})
