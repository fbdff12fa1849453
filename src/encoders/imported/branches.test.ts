/** Nodes with graphs of their own inside: refused by name where the output needs them, and nowhere else. */
import { expect, test } from 'vitest'
import { features, importing, linear, read, trained } from '../../../test/imported.ts'
import { model, node, tensor, type Written, weights } from '../../../test/onnx.ts'
import { readModel, writeModel } from '../../onnx/codec.ts'
import { attributeTypes, type Graph, type Node } from '../../onnx/schema.ts'

/** What a branch computes, of a value outside of it. */
const branch = (of: string): Graph =>
  model({ nodes: [node('Identity', [of], ['chosen'])], inputs: {}, outputs: ['chosen'] }).graph

function withBranches(operator: string, inputs: string[], output: string, of: string): Node {
  const graph = (name: string) => ({
    ...{ name, type: attributeTypes.graph, graph: branch(of) },
    ...{ floats: [], ints: [], strings: [] },
  })
  return { ...node(operator, inputs, [output]), attributes: [graph('then_branch'), graph('else_branch')] }
}

const yes = tensor('bool', [], [1])
const shape = tensor('int64', [2], [-1, 3])

test.each<[string, Partial<Written>]>([
  [
    'among the settings',
    {
      nodes: [
        withBranches('If', ['yes'], 'shape', 'other'),
        node('Gemm', ['x', 'w', 'b'], ['h']),
        node('Reshape', ['h', 'shape'], ['out']),
      ],
      initializers: { w: weights([4, 3]), b: weights([3]), yes, other: shape },
    },
  ],
  [
    'of values outside',
    {
      nodes: [node('Gemm', ['x', 'w', 'b'], ['h']), withBranches('If', ['yes'], 'out', 'h')],
      initializers: { w: weights([4, 3]), b: weights([3]), yes },
    },
  ],
])('an If %s', async (_, written) => {
  const reading = importing(readModel(writeModel(model({ ...linear, ...written }))))
  await expect(reading).rejects.toThrow(
    /uses If \(If to \w+\), with graphs of its own inside, which are not read here\. Choose a value before it as the output, or export/,
  )
})

test.each(['Loop', 'Scan'])('a %s', async (operator) => {
  const nodes = [node('Gemm', ['x', 'w', 'b'], ['h']), withBranches(operator, ['h'], 'out', 'h')]
  await expect(read({ ...linear, nodes })).rejects.toThrow(`uses ${operator} (${operator} to out), with graphs`)
})

test('an If that the chosen output does not need', async () => {
  const nodes = [node('Gemm', ['x', 'w', 'b'], ['h']), withBranches('If', ['yes'], 'out', 'h')]
  const written = { ...linear, nodes, initializers: { ...linear.initializers, yes } }
  const encoder = await read(written, { output: 'h' })
  expect(encoder.dimension).toBe(3)
  expect(Object.keys(await trained(encoder, features(6)))).toEqual(['w', 'b'])
})
