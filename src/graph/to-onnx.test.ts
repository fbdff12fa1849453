/** The model that is written of a graph: its names, and what of its nodes is left out. */
import { expect, test } from 'vitest'
import { writeModel } from '../onnx/codec.ts'
import { open } from '../runtime/node.ts'
import { differentiate } from './differentiate.ts'
import { toModel } from './to-onnx.ts'
import { apply, constant, input, type Value } from './value.ts'

async function evaluate(outputs: Record<string, Value>, name: string, data: readonly number[]) {
  const program = await open(writeModel(toModel(outputs)), { threads: 1 })
  const results = await program.run({
    [name]: { dtype: 'float32', shape: [data.length], data: Float32Array.from(data) },
  })
  await program.release()
  return Object.fromEntries(Object.entries(results).map(([key, value]) => [key, [...value.data]]))
}

test.each([
  ['c0', 'y'],
  ['v0', 'v1'],
  ['x', 'c0'],
  ['v0_', 'v0'],
])('the input %s and the output %s are not taken for what is inside', async (from, to) => {
  const x = input(from, 'float32', [2])
  const [inside, y] = [x.add(constant('float32', [2], [10, 20])), x.mul(3)]
  expect(await evaluate({ [to]: inside.mul(y) }, from, [1, 2])).toEqual({ [to]: [33, 132] })
})

test('the first output of a node stays where only its others are used', async () => {
  const x = input('x', 'float32', [3])
  const ones = constant('float32', [3], [1, 1, 1])
  const normalized = apply('LayerNormalization', [x, ones], { axis: 0 })
  expect(await evaluate({ mean: normalized[1]! }, 'x', [1, 2, 6])).toEqual({ mean: [3] })
  // The gradient needs the statistics alone.
  const [gradient] = differentiate(normalized[0]!, [x], ones)
  const { gradient: found } = await evaluate({ gradient: gradient! }, 'x', [1, 2, 6])
  for (const each of found!) expect(each).toBeCloseTo(0, 5)
})
