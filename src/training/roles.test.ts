/** What lies side by side: parameters by the rule that updates them, and what the rule holds, in the same order. */
import { expect, test } from 'vitest'
import { mlp } from '../encoders/index.ts'
import { reach } from '../graph/to-onnx.ts'
import { proxyNCA, triplet } from '../losses/index.ts'
import { adam, grouped, type Optimizer, sgd } from '../optimizers/index.ts'
import { optimizerTypes, variablesOf, wholeStep } from './graphs.ts'
import { packing } from './packing.ts'
import { roles } from './roles.ts'

const pixels = { dtype: 'uint8', shape: [6, 1, 4, 4] } as const

async function built(layers: number, optimizer: Optimizer, loss = triplet()) {
  const encoder = mlp({ input: { channels: 1, height: 4, width: 4 }, hidden: Array(layers - 1).fill(8), dimension: 8 })
  const options = { encoder, loss, optimizer, variables: encoder.variables(0), largestClass: 2, classes: 3 }
  const [variables, state] = [variablesOf(options), optimizerTypes(options)]
  const layout = packing({ ...variables, ...state }, roles(variables, state))
  const { outputs } = await wholeStep(options, { pixels })
  const packed = layout.build(outputs)
  return { nodes: reach(Object.values(packed)).nodes, names: Object.keys(packed), layout, state }
}

const count = (nodes: Awaited<ReturnType<typeof built>>['nodes'], operator: string) =>
  nodes.filter((node) => node.operator === operator).length

test('more layers need no more of the optimiser’s nodes while a vector holds them', async () => {
  const [few, many] = [await built(2, adam()), await built(6, adam())]
  expect(count(few.nodes, 'Sqrt')).toBe(count(many.nodes, 'Sqrt'))
  expect(count(few.nodes, 'Div')).toBe(count(many.nodes, 'Div'))
})

test('groups are packed apart, so that each is updated at once', async () => {
  const groups = grouped([{ match: /bias/, optimizer: sgd({ momentum: 0.5 }) }], adam())
  const [few, many] = [await built(2, groups), await built(6, groups)]
  expect(count(few.nodes, 'Sqrt')).toBe(count(many.nodes, 'Sqrt'))
  expect(many.names.filter((name) => name.startsWith('next packed parameters'))).toHaveLength(2)
})

test('what the loss holds is not packed with what the encoder holds', async () => {
  const { layout, state } = await built(2, adam(), proxyNCA())
  const [own, other] = [true, false].map((isOwn) => {
    const names = Object.keys(state).filter((name) => name.includes('mean.') && name.includes('loss ') === isOwn)
    return layout.holders(names)
  }) as [string[], string[]]
  expect(own).toHaveLength(1)
  expect(other).toHaveLength(1)
  expect(own).not.toEqual(other)
})
