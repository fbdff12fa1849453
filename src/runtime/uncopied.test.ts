/** Outputs that are written where they are wanted. */
import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { RuntimeError } from '../errors.ts'
import { input } from '../graph/value.ts'
import type { Tensor } from '../tensor.ts'

const MIB = 2 ** 20

function filled(length: number, value: number): Tensor {
  return { dtype: 'float32', shape: [length], data: new Float32Array(length).fill(value) }
}

test('a run makes no memory besides what it is given', async () => {
  const length = 4 * MIB
  const program = await compile({ doubled: input('x', 'float32', [length]).mul(2) })
  const [x, doubled] = [filled(length, 3), filled(length, 0)]
  await program.run({ x }, { doubled })
  const before = process.memoryUsage().arrayBuffers
  const results = await program.run({ x }, { doubled })
  // The binding's own copy would take 16 MiB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB)
  expect(results.doubled).toBe(doubled)
  expect(doubled.data.every((each) => each === 6)).toBe(true)
  await program.release()
})

test('outputs that are given no memory get new memory each time, and empty ones are empty', async () => {
  const x = input('x', 'float32', [3])
  const program = await compile({ all: x.add(1), none: x.slice(0, 0, 0), passed: x, some: x.greater(2) })
  const first = await program.run({ x: { dtype: 'float32', shape: [3], data: Float32Array.of(1, 2, 3) } })
  const second = await program.run({ x: filled(3, 0) })
  expect([...first.all!.data]).toEqual([2, 3, 4])
  expect([...second.all!.data]).toEqual([1, 1, 1])
  expect(first.none).toEqual({ dtype: 'float32', shape: [0], data: new Float32Array(0) })
  expect([...first.passed!.data]).toEqual([1, 2, 3])
  expect(first.some).toEqual({ dtype: 'bool', shape: [3], data: Uint8Array.of(0, 0, 1) })
  expect(program.outputNames).toEqual(['all', 'none', 'passed', 'some'])
  await program.release()
})

test('a run that fails is still an error', async () => {
  const x = input('x', 'float32', [2])
  const program = await compile({ picked: x.gather(input('at', 'int64', [1]), 0) })
  const run = program.run({ x: filled(2, 1), at: { dtype: 'int64', shape: [1], data: BigInt64Array.of(7n) } })
  await expect(run).rejects.toThrow(RuntimeError)
  await expect(run).rejects.toThrow(/out of/)
  await program.release()
})
