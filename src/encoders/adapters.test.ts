import fc from 'fast-check'
import { expect, test } from 'vitest'
import { vectors } from '../data/index.ts'
import { UsageError } from '../errors.ts'
import { cosine, euclidean } from '../metrics/index.ts'
import { openEmbedder } from '../model/embedder.ts'
import { exportEncoder } from '../model/export.ts'
import { identity, linear, mlp } from './index.ts'

const input = { kind: 'vector', dimension: 3 } as const
const data = Float32Array.of(1, -2, 0.3, 1e-7, 5e5, -0.1, 0, 0, 0)

async function embeddings(encoder: ReturnType<typeof linear>, metric = euclidean, values = data) {
  const embedder = await openEmbedder(await exportEncoder(encoder, encoder.variables(3), metric), encoder.dimension, {})
  const { data: found } = await embedder.embed(vectors(values, { dimension: 3 }))
  await embedder.release()
  return found as Float32Array
}

test('a residual adapter begins as the identity, bit for bit', async () => {
  for (const encoder of [
    linear({ input, residual: true }),
    mlp({ input, residual: true, hidden: [7] }),
    identity({ input }),
  ]) {
    expect(await embeddings(encoder), encoder.name).toEqual(data)
    expect(await embeddings(encoder, cosine), encoder.name).toEqual(await embeddings(identity({ input }), cosine))
  }
})

test('without residual it does not, and gives the length that is asked for', async () => {
  const encoder = linear({ input, dimension: 2 })
  const { 'layer0.weight': weight, 'layer0.bias': bias } = encoder.variables(3)
  expect(Object.keys(encoder.variables(3))).toEqual(['layer0.weight', 'layer0.bias'])
  expect(bias!.data).toEqual(new Float32Array(2))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.float({ min: -9, max: 9, noNaN: true }), { minLength: 3, maxLength: 3 }),
      async (x) => {
        const found = await embeddings(encoder, euclidean, Float32Array.from(x))
        const expected = [0, 1].map((row) => x.reduce((sum, each, i) => sum + each * weight!.data[row * 3 + i]!, 0))
        for (const [i, each] of expected.entries()) expect(found[i]).toBeCloseTo(each, 4)
      },
    ),
    { numRuns: 10 },
  )
})

test('the layers of an mlp are those of its widths, the last of a residual one zero', () => {
  const variables = mlp({ input, residual: true, hidden: [7, 5] }).variables(0)
  const shapes = Object.fromEntries(Object.entries(variables).map(([name, { shape }]) => [name, shape]))
  expect(shapes).toEqual({
    'layer0.weight': [7, 3],
    'layer0.bias': [7],
    'layer1.weight': [5, 7],
    'layer1.bias': [5],
    'layer2.weight': [3, 5],
    'layer2.bias': [3],
  })
  expect(variables['layer2.weight']!.data.every((x) => x === 0)).toBe(true)
  expect(variables['layer1.weight']!.data.every((x) => x !== 0)).toBe(true)
})

test('a residual adapter of another length is refused with why', () => {
  for (const make of [linear, mlp]) {
    const bad = () => make({ input, dimension: 2, residual: true })
    expect(bad).toThrow(UsageError)
    expect(bad).toThrow(/adds to the vectors, so its embeddings have their 3 numbers, found the dimension 2/)
  }
})
