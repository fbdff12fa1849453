/** What is put before and behind a file’s own graph: pixels, pooling, heads, and the file that is written. */
import { expect, test } from 'vitest'
import { changed, embed, features, importing, linear, read, runOnce, trained } from '../../../test/imported.ts'
import { node, tensor, type Written } from '../../../test/onnx.ts'
import { expectClose } from '../../../test/tolerance.ts'
import { metricsByName } from '../../metrics/by-name.ts'
import { exportEncoder } from '../../model/export.ts'
import { readModel } from '../../onnx/codec.ts'
import { grouped, sgd } from '../../optimizers/index.ts'
import type { Encoder } from '../encoder.ts'
import type { ImportOptions } from './encoder.ts'

test('a head on a frozen encoder, and one that learns faster than the encoder', async () => {
  const frozen = await read(linear, { freeze: [/./], head: { kind: 'mlp', dimension: 5, hidden: 7 }, normalize: true })
  expect(frozen.dimension).toBe(5)
  expect(changed(frozen, await trained(frozen, features(6))).every((name) => name.startsWith('head.'))).toBe(true)
  const { data } = await embed(frozen, features(6))
  for (let row = 0; row < 6; row++)
    expect(Math.hypot(...Array.from(data.slice(row * 5, row * 5 + 5), Number))).toBeCloseTo(1, 5)

  const encoder = await read(linear, { head: { kind: 'linear', dimension: 2 } })
  const moved = async (rate: number) => {
    const after = await trained(
      encoder,
      features(6),
      grouped([{ match: /^(?!head)/, optimizer: sgd({}), rate }], sgd({})),
    )
    return (name: string) => after[name]!.data[0]! - encoder.variables(0)[name]!.data[0]!
  }
  const [slow, full] = [await moved(0.25), await moved(1)]
  expect(slow('w') / full('w')).toBeCloseTo(0.25, 3)
  expect(slow('head.0.weight')).toBe(full('head.0.weight'))
})

/** Tokens that pass through, with a mask that the file takes, as text encoders do. */
const states: Written = {
  nodes: [
    node('Cast', ['attention_mask'], ['weights'], { to: 1 }),
    node('Mul', ['weights', 'nothing'], ['none']),
    node('Unsqueeze', ['none', 'last'], ['shift']),
    node('MatMul', ['x', 'w'], ['states']),
    node('Add', ['states', 'shift'], ['out']),
  ],
  initializers: {
    w: tensor('float32', [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]),
    nothing: tensor('float32', [], [0]),
    last: tensor('int64', [1], [-1]),
  },
  inputs: { x: ['float32', 'n', 't', 3], attention_mask: ['int64', 'n', 't'] },
}

test('tokens are pooled over those that the attention mask names', async () => {
  const x = tensor('float32', [2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  const fed = { x, attention_mask: tensor('int64', [2, 2], [1, 1, 1, 0]) }
  const pooled = async (pool?: ImportOptions['pool']) =>
    Array.from((await embed(await read(states, { pool }), fed)).data, Number)
  expect(await pooled()).toEqual([2.5, 3.5, 4.5, 7, 8, 9])
  expect(await pooled('mean')).toEqual([2.5, 3.5, 4.5, 7, 8, 9])
  expect(await pooled('first')).toEqual([1, 2, 3, 7, 8, 9])
  const generalized = (a: number, b: number) => Math.cbrt((a ** 3 + b ** 3) / 2)
  const found = await pooled('generalizedMean')
  for (const [i, each] of [generalized(1, 4), generalized(2, 5), generalized(3, 6), 7, 8, 9].entries()) {
    expect(found[i]).toBeCloseTo(each, 3)
  }
  await expect(pooled('average')).rejects.toThrow(/average does not go with an output of float32 \[2, 8, 3\]/)
})

test('a mask of another name has to be named, or said to be none', async () => {
  const rename = (name: string) => (name === 'attention_mask' ? 'input_mask' : name)
  const { attention_mask, ...rest } = states.inputs
  const other: Written = {
    ...states,
    nodes: states.nodes.map((each) => ({ ...each, inputs: each.inputs.map(rename) })),
    inputs: { ...rest, input_mask: attention_mask! },
  }
  const x = tensor('float32', [2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  const fed = { x, input_mask: tensor('int64', [2, 2], [1, 1, 1, 0]) }
  const pooled = async (options: ImportOptions) =>
    Array.from((await embed(await read(other, options), fed)).data, Number)
  await expect(read(other)).rejects.toThrow(/takes input_mask \[n, t\], which may say .* State \{ mask: NAME \}/)
  expect(await pooled({ mask: 'input_mask' })).toEqual([2.5, 3.5, 4.5, 7, 8, 9])
  expect(await pooled({ mask: false })).toEqual([2.5, 3.5, 4.5, 8.5, 9.5, 10.5])
  expect(await pooled({ pool: 'first' })).toEqual([1, 2, 3, 7, 8, 9])
  await expect(read(other, { mask: 'x' })).rejects.toThrow(
    'mask is "x"; expected an input [n, tokens]. There are x [n, t, 3], input_mask [n, t].',
  )
  await expect(read(other, { mask: 'input_mask', pool: 'first' })).rejects.toThrow(/but no tokens are pooled/)
  const encoder = await read(other, { mask: 'input_mask' })
  expect(encoder.settings).toEqual({ output: 'out', mask: 'input_mask' })
  const written = await exportEncoder(encoder, encoder.variables(0), metricsByName.get('squaredEuclidean')!)
  expectClose((await runOnce(written, fed)).embedding!.data, [2.5, 3.5, 4.5, 7, 8, 9], 'written')
})

const maps: Written = {
  nodes: [node('Conv', ['image', 'w'], ['out'], { kernel_shape: [1, 1] })],
  initializers: { w: tensor('float32', [2, 3, 1, 1], [1, 0, 0, 0, 1, 0]) },
  inputs: { image: ['float32', 'n', 3, 'h', 'w'] },
}
const pixels = { pixels: tensor('float32', [1, 3, 2, 2], [51, 102, 153, 204, 0, 0, 0, 255, 9, 9, 9, 9]) }

test('images: pixels are normalised as stated, maps of features pooled', async () => {
  const size = { height: 2, width: 2 }
  const plain = await read(maps, size)
  expect(plain.input).toMatchObject({ channels: 3, height: 2, width: 2 })
  const close = async (encoder: Encoder, expected: number[]) => {
    const { data } = await embed(encoder, pixels)
    expectClose(data, expected, 'embedding')
  }
  await close(plain, [0.5, 0.25])
  await close(await read(maps, { ...size, mean: [0.5, 0.25, 0], std: [0.1, 0.2, 1] }), [0, 0])
  await close(await read(maps, { ...size, mean: 0.1, std: 0.5 }), [0.8, 0.3])
  const cubes = [0.2, 0.4, 0.6, 0.8].reduce((sum, each) => sum + each ** 3, 0) / 4
  const generalized = await read(maps, { ...size, pool: 'generalizedMean' })
  expect(generalized.variables(0)['head.exponent']!.trained).toBe(true)
  await close(generalized, [Math.cbrt(cubes), Math.cbrt(1 / 4)])
  await expect(read(maps)).rejects.toThrow(/leaves the height of its images open/)
  await expect(read(maps, { ...size, mean: [1, 2] })).rejects.toThrow(
    /mean is 1, 2; expected one number, or one for each of 3/,
  )
  await expect(read(maps, { ...size, std: 0 })).rejects.toThrow(/standard deviation must be above 0/)
  await expect(read(maps, { ...size, pool: 'mean' })).rejects.toThrow(/Pooling mean does not go with/)
})

test('images with their channels last, as TensorFlow has them', async () => {
  const encoder = await read({
    nodes: [
      node('ReduceMean', ['image'], ['means'], { axes: [1, 2], keepdims: 0 }),
      node('MatMul', ['means', 'w'], ['out']),
    ],
    initializers: { w: tensor('float32', [3, 2], [1, 0, 0, 1, 0, 0]) },
    inputs: { image: ['float32', 'n', 2, 2, 3] },
    operatorSet: 13,
  })
  expect((await embed(encoder, pixels)).data[0]).toBeCloseTo(0.5, 5)
})

test('what is written is what the encoder gives, for any number of rows, and can be read and trained again', async () => {
  const options: ImportOptions = {
    mean: 0.4,
    std: 0.3,
    height: 2,
    width: 2,
    head: { kind: 'linear', dimension: 4 },
    pool: 'generalizedMean',
  }
  const encoder = await read(maps, options)
  const metric = metricsByName.get('cosine')!
  const bytes = await exportEncoder(encoder, encoder.variables(0), metric)
  const own = await embed(await read(maps, { ...options, normalize: true }), pixels)
  const three = tensor(
    'float32',
    [3, 3, 2, 2],
    [0, 1, 2].flatMap(() => Array.from(pixels.pixels.data as Float32Array)),
  )
  const thrice = [0, 1, 2].flatMap(() => Array.from(own.data, Number))
  const { embedding } = await runOnce(bytes, { pixels: three })
  expect(embedding!.shape).toEqual([3, 4])
  expectClose(embedding!.data, thrice, 'written')

  // Twice more: names of what was put before and behind it must not meet.
  let again = bytes
  for (let generation = 0; generation < 2; generation++) {
    const reread = await importing(readModel(again))
    expect(Object.keys(reread.variables(0))).toEqual(['w', 'head.exponent', 'head.0.weight', 'head.0.bias'])
    again = await exportEncoder(reread, reread.variables(0), metric)
    const { embedding: same } = await runOnce(again, { pixels: three })
    expectClose(same!.data, thrice, 'written again')
  }
})
