/** Vectors computed at once against the same tensors computed one by one. */
import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { size } from '../tensor.ts'
import { joining } from './join.ts'
import { reach } from './to-onnx.ts'
import { concat, input, type Value } from './value.ts'

const shapes = [[2, 3], [4], [], [5, 1]] as const
const lengths = shapes.map(size)
const total = lengths.reduce((a, b) => a + b)
const parts = (name: string) => shapes.map((shape, i) => input(`${name}${i}`, 'float32', shape))
const [p, m, g] = [parts('p'), parts('m'), parts('g')]
const rate = input('rate', 'float32', [])
const vectors = { p: input('p', 'float32', [total]), m: input('m', 'float32', [total]) }
function flat(of: readonly Value[]): Value {
  return concat(
    of.map((each) => each.reshape([-1])),
    0,
  )
}

const data = Float32Array.from({ length: total }, (_, i) => Math.sin(i) + 1.5)
const feeds = Object.fromEntries([
  ['rate', { dtype: 'float32', shape: [], data: Float32Array.of(0.3) }],
  ...['p', 'm'].map((name) => [name, { dtype: 'float32', shape: [total], data }]),
  ...['p', 'm', 'g'].flatMap((name) => {
    return shapes.map((shape, i) => {
      const start = lengths.slice(0, i).reduce((a, b) => a + b, 0)
      return [`${name}${i}`, { dtype: 'float32', shape, data: data.slice(start, start + lengths[i]!) }]
    })
  }),
])

async function both(values: readonly Value[]) {
  const known: [readonly Value[], Value][] = [
    [p, vectors.p],
    [m, vectors.m],
  ]
  const join = joining(new Map(known))
  const joined = join(values)
  const program = await compile({ joined, apart: flat(values) })
  const results = await program.run(feeds)
  await program.release()
  return { joined: results.joined!.data, apart: results.apart!.data, nodes: reach([joined]).nodes }
}

test('an update by moments is one node for each of its operations, bit for bit the same', async () => {
  const means = m.map((each, i) => each.mul(0.9).add(g[i]!))
  const after = p.map((each, i) => each.sub(means[i]!.div(g[i]!.square().sqrt().add(1e-3)).mul(rate)))
  const { joined, apart, nodes } = await both(after)
  expect(joined).toEqual(apart)
  const operators = nodes.map(({ operator }) => operator).filter((operator) => operator !== 'Reshape')
  expect(operators.sort()).toEqual(['Add', 'Add', 'Concat', 'Div', 'Mul', 'Mul', 'Mul', 'Sqrt', 'Sub'])
})

test.each<[string, Value[]]>([
  ['other numbers', p.map((each, i) => each.mul(i))],
  ['other operators', p.map((each, i) => (i ? each.mul(2) : each.add(2)))],
  ['the same values in another order', [p[0]!, p[1]!, p[3]!, p[2]!]],
  ['some passed on as they are', p.map((each, i) => (i ? each : each.mul(2)))],
  ['operands that are broadcast', p.map((each) => each.mul(each.sum([...each.shape.keys()], true)))],
])('what is not alike is computed one by one: %s', async (_, values) => {
  const { joined, apart } = await both(values)
  expect(joined).toEqual(apart)
})
