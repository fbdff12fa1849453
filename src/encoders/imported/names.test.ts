/** Files whose names and numbers are those that graphs here use for something else. */
import { expect, test } from 'vitest'
import { changed, embed, importing, read, runOnce, trained } from '../../../test/imported.ts'
import { model, node, tensor, type Written, weights } from '../../../test/onnx.ts'
import { expectClose } from '../../../test/tolerance.ts'
import { triplet } from '../../losses/index.ts'
import { metricsByName } from '../../metrics/by-name.ts'
import { exportEncoder } from '../../model/export.ts'
import { readModel, writeModel } from '../../onnx/codec.ts'
import { dataTypes } from '../../onnx/schema.ts'
import { sgd } from '../../optimizers/index.ts'
import { createStep } from '../../training/step.ts'
import { mlp } from '../index.ts'

const cosine = metricsByName.get('cosine')!

test('a file that was written here is read, trained and written again', async () => {
  const own = mlp({ input: { channels: 1, height: 5, width: 5 }, hidden: [8], dimension: 4 })
  const written = await exportEncoder(own, own.variables(0), cosine)
  const pixels = tensor(
    'float32',
    [4, 1, 5, 5],
    Array.from({ length: 100 }, (_, i) => (i * 37) % 256),
  )
  const { embedding } = await runOnce(written, { pixels })
  const encoder = await importing(readModel(written), { mean: 0, std: 1 / 255 })
  expectClose((await embed(encoder, { pixels })).data, embedding!.data, 'read')
  expect(changed(encoder, await trained(encoder, { pixels }))).toEqual(Object.keys(encoder.variables(0)))
  const again = await exportEncoder(encoder, encoder.variables(0), cosine)
  expectClose((await runOnce(again, { pixels })).embedding!.data, embedding!.data, 'written again')
})

test.each(['loss', 'embedding', 'rate', 'batches', 'sample', 'c0', 'v0'])('large weights named %s', async (name) => {
  // Small ones would travel packed, under another name.
  const wide: Written = {
    nodes: [node('MatMul', ['x', name], ['h']), node('MatMul', ['h', 'last'], ['out'])],
    initializers: { [name]: weights([128, 256]), last: weights([256, 3], 2) },
    inputs: { x: ['float32', 'n', 128] },
  }
  const encoder = await read(wide)
  const x = weights([4, 128], 5)
  expect(changed(encoder, await trained(encoder, { x }))).toEqual([name, 'last'])
  const bytes = await exportEncoder(encoder, encoder.variables(0), cosine)
  const own = await embed(await read(wide, { normalize: true }), { x })
  expectClose((await runOnce(bytes, { x })).embedding!.data, own.data, 'written')
})

test('an end that is the largest integer of all', async () => {
  const written = model({
    nodes: [node('Slice', ['x', 'from', 'to', 'axes'], ['part']), node('MatMul', ['part', 'w'], ['out'])],
    initializers: {
      from: tensor('int64', [1], [1]),
      to: tensor('int64', [1], [0]),
      axes: tensor('int64', [1], [1]),
      w: weights([3, 2]),
    },
    inputs: { x: ['float32', 'n', 4] },
  })
  const end = written.graph.initializers.find(({ name }) => name === 'to')!
  Object.assign(end, { rawData: undefined, int64Data: [2 ** 63], dataType: dataTypes.int64 })
  const encoder = await importing(readModel(writeModel(written)))
  expect(encoder.dimension).toBe(2)
  expect((await embed(encoder, { x: weights([2, 4]) })).shape).toEqual([2, 2])
})

test('resampling as PyTorch writes it, with its slope, to sizes', async () => {
  const encoder = await read({
    nodes: [
      node('Shape', ['image'], ['before'], { end: 2 }),
      node('Concat', ['before', 'extents'], ['sizes'], { axis: 0 }),
      node('Resize', ['image', '', '', 'sizes'], ['large'], {
        mode: 'cubic',
        coordinate_transformation_mode: 'pytorch_half_pixel',
        cubic_coeff_a: { float: -0.75 },
      }),
      node('Conv', ['large', 'w'], ['map']),
      node('Flatten', ['map'], ['out']),
    ],
    initializers: { extents: tensor('int64', [2], [5, 7]), w: weights([2, 1, 3, 3]) },
    inputs: { image: ['float32', 'n', 1, 3, 3] },
  })
  expect(encoder.dimension).toBe(2 * 3 * 5)
  expect(changed(encoder, await trained(encoder, { pixels: weights([4, 1, 3, 3]) }))).toEqual(['w'])
})

test('an encoder that ends in layer normalisation, in parts', async () => {
  const encoder = await read({
    nodes: [node('MatMul', ['x', 'w'], ['h']), node('LayerNormalization', ['h', 'scale'], ['out'])],
    initializers: { w: weights([4, 6]), scale: tensor('float32', [6], Array(6).fill(1)) },
    inputs: { x: ['float32', 'n', 4] },
  })
  const variables = encoder.variables(0)
  const results = []
  for (const microBatch of [undefined, 2]) {
    const step = createStep({
      ...{ encoder, loss: triplet({ smooth: true }), optimizer: sgd({}), variables },
      largestClass: 2,
      microBatch,
    })
    await step.run([{ inputs: { x: weights([6, 4], 3) }, labels: Int32Array.of(0, 0, 1, 1, 2, 2) }], 1)
    results.push((await step.variables()).w!.data.slice())
    await step.release()
  }
  expectClose(results[1]!, results[0]!, 'in parts')
})
