/** Which data of a file are fitted, and what training makes of its normalisation and dropout. */
import { expect, test } from 'vitest'
import { changed, features, linear, read, runOnce, trained } from '../../../test/imported.ts'
import { node, tensor, type Written, weights } from '../../../test/onnx.ts'
import { input } from '../../graph/value.ts'
import { writeModel } from '../../onnx/codec.ts'

test('an Identity of an initialiser is a parameter of its own, there and in the file that is written', async () => {
  const tied: Written = {
    nodes: [
      node('Identity', ['w'], ['w2']),
      node('MatMul', ['x', 'w'], ['hidden']),
      node('Relu', ['hidden'], ['active']),
      node('MatMul', ['active', 'w2'], ['out']),
    ],
    initializers: { w: weights([4, 4]) },
    inputs: { x: ['float32', 'n', 4] },
  }
  const encoder = await read(tied)
  const after = await trained(encoder, features(6))
  expect(changed(encoder, after)).toEqual(['w', 'w2'])
  expect(after.w!.data).not.toEqual(after.w2!.data)
  const { embedding } = await runOnce(writeModel(encoder.toModel!(after, (x) => x)), features(6))
  const [w, w2] = [after.w!.data, after.w2!.data]
  const x = features(6).x.data
  const hidden = (r: number, j: number) =>
    Math.max(
      [0, 1, 2, 3].reduce((sum, k) => sum + Number(x[r * 4 + k]) * w[k * 4 + j]!, 0),
      0,
    )
  const expected = [0, 1, 2, 3].reduce((sum, k) => sum + hidden(3, k) * w2[k * 4 + 1]!, 0)
  expect(embedding!.data[3 * 4 + 1]).toBeCloseTo(expected, 5)
})

test('parameters are float weights; single numbers, settings and statistics are not', async () => {
  const encoder = await read({
    nodes: [
      node('Mul', ['x', 'factor'], ['scaled']),
      node('Clip', ['scaled', 'low', 'high'], ['clipped']),
      node('Unsqueeze', ['clipped', 'axis'], ['image']),
      node('BatchNormalization', ['image', 'scale', 'shift', 'mean', 'variance'], ['normalized']),
      node('Flatten', ['normalized'], ['flat']),
      node('MatMul', ['flat', 'w'], ['out']),
    ],
    initializers: {
      factor: tensor('float32', [], [2]),
      low: tensor('float32', [], [-1]),
      high: tensor('float32', [], [1]),
      axis: tensor('int64', [1], [2]),
      scale: tensor('float32', [4], [1, 1, 1, 1]),
      shift: weights([4]),
      mean: weights([4], 2),
      variance: tensor('float32', [4], [1, 2, 3, 4]),
      w: weights([4, 3]),
    },
    inputs: { x: ['float32', 'n', 4] },
  })
  expect(Object.keys(encoder.variables(0))).toEqual(['scale', 'shift', 'w'])
})

test('parameters are frozen by the pattern of their names', async () => {
  const encoder = await read(linear, { freeze: [/^w$/] })
  expect(changed(encoder, await trained(encoder, features(6)))).toEqual(['b'])
  await expect(read(linear, { freeze: [/layer9/] })).rejects.toThrow('/layer9/ freezes no parameter. There are w, b.')
  await expect(read(linear, { freeze: [/./] })).rejects.toThrow(/Nothing is left to train/)
})

test('a value inside is taken for the output', async () => {
  const written: Written = {
    nodes: [node('MatMul', ['x', 'w'], ['inside']), node('MatMul', ['inside', 'v'], ['out'])],
    initializers: { w: weights([4, 6]), v: weights([6, 2]) },
    inputs: { x: ['float32', 'n', 4] },
  }
  const encoder = await read(written, { output: 'inside' })
  expect(encoder.dimension).toBe(6)
  expect(Object.keys(encoder.variables(0))).toEqual(['w'])
  await expect(read(written, { output: 'insider' })).rejects.toThrow(
    /Nothing in the model computes "insider".*inside, out/,
  )
})

test('dropout acts in training by masks, and is not in the file that is written', async () => {
  const written: Written = {
    nodes: [node('Dropout', ['x', 'ratio', 'yes'], ['dropped']), node('MatMul', ['dropped', 'w'], ['out'])],
    initializers: { w: weights([4, 4]), ratio: tensor('float32', [], [0.25]), yes: tensor('bool', [], [1]) },
    inputs: { x: ['float32', 'n', 4] },
  }
  const encoder = await read(written)
  const x = input('x', 'float32', [6, 4])
  const held = { w: input('w', 'float32', [4, 4]) }
  const { masks = [] } = await encoder.build({ x }, held, 'train')
  expect(masks.map(({ ratio, value }) => [ratio, value.shape])).toEqual([[0.25, [6, 4]]])
  expect((await encoder.build({ x }, held, 'infer')).masks).toEqual([])
  const { graph } = encoder.toModel!(encoder.variables(0), (each) => each)
  expect(graph.nodes.map(({ operator }) => operator)).not.toContain('Dropout')
  const one = await trained(encoder, features(6))
  expect(await trained(encoder, features(6))).toEqual(one)
})

test('batch normalisation of a file that was exported for training follows the batch', async () => {
  const written: Written = {
    nodes: [
      node('BatchNormalization', ['x', 'scale', 'shift', 'mean', 'variance'], ['out', 'm', 'v'], {
        training_mode: 1,
        momentum: { float: 0.9 },
      }),
    ],
    initializers: {
      scale: tensor('float32', [4], [1, 1, 1, 1]),
      shift: tensor('float32', [4], [0, 0, 0, 0]),
      // PyTorch ties what is equal: these two share their data.
      mean: tensor('float32', [4], [1, 1, 1, 1]),
      variance: tensor('float32', [4], [1, 1, 1, 1]),
    },
    inputs: { x: ['float32', 'n', 4] },
  }
  const encoder = await read(written)
  expect(Object.entries(encoder.variables(0)).map(([name, { trained: fitted }]) => [name, fitted])).toEqual([
    ['scale', true],
    ['shift', true],
    ['mean', false],
    ['variance', false],
  ])
  const after = await trained(encoder, features(6))
  const column = [0, 1, 2, 3, 4, 5].map((row) => Number(features(6).x.data[row * 4]))
  const mean = column.reduce((a, b) => a + b) / 6
  const variance = column.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 5
  expect(after.mean!.data[0]).toBeCloseTo(0.9 + 0.1 * mean, 5)
  expect(after.variance!.data[0]).toBeCloseTo(0.9 + 0.1 * variance, 5)
})
