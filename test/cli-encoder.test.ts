/** `isometry train --encoder FILE.onnx`, large batches in parts, and what is left when training diverges. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readModel, writeModel } from '../src/onnx/codec.ts'
import { expectError } from './fixture.ts'
import { temporaryFolder, writeImages } from './images.ts'
import { isometry } from './in-process.ts'
import { model, node, weights } from './onnx.ts'

const reference = (name: string) => join(import.meta.dirname, 'reference', 'training', `${name}.onnx`)
const short = ['--steps', '8', '--threads', '1', '--classes-per-batch', '6']

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let data: string
const at = (...names: string[]) => join(folder.path, ...names)
beforeAll(async () => {
  folder = await temporaryFolder()
  data = at('data')
  await writeImages(data, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], 6)
})
afterAll(() => folder.dispose())

test('a file with a head, frozen layers and rates of their own, embedded and evaluated like any model', async () => {
  const model = at('model')
  const trained = await isometry([
    ...['train', data, '--out', model, '--encoder', reference('residual'), ...short, '--json'],
    ...['--head', 'linear', '--dimension', '6', '--freeze', '^stem', '--backbone-rate', '0.1'],
    ...['--mean', '0.5,0.5,0.5', '--std', '0.25', '--output', '/Add_output_0', '--pool', 'generalizedMean'],
  ])
  expect(trained.code, trained.stderr).toBe(0)
  const { settings, validation } = JSON.parse(trained.stdout)
  expect(settings).toMatchObject({
    dimension: 6,
    imageSize: 10,
    grayscale: false,
    freeze: ['^stem'],
    pool: 'generalizedMean',
  })
  expect(validation.after.precisionAt1).toBeGreaterThan(0)
  const { encoder } = JSON.parse(await readFile(join(model, 'isometry.json'), 'utf8'))
  expect(encoder).toMatchObject({
    name: 'onnx',
    file: 'residual.onnx',
    output: '/Add_output_0',
    head: 'linear',
    dimension: 6,
  })

  const before = readModel(await readFile(reference('residual'))).graph.initializers
  const after = readModel(await readFile(join(model, 'encoder.onnx'))).graph.initializers
  const data0 = (list: typeof before, name: string) => list.find((each) => each.name === name)!.rawData
  expect(data0(after, 'stem.weight')).toEqual(data0(before, 'stem.weight'))
  expect(data0(after, 'a.weight')).not.toEqual(data0(before, 'a.weight'))
  expect((await isometry(['evaluate', model, data])).code).toBe(0)

  // What was trained is an encoder like any other.
  const again = await isometry([
    'train',
    data,
    '--out',
    at('again'),
    '--encoder',
    join(model, 'encoder.onnx'),
    ...short,
  ])
  expect(again.code, again.stderr).toBe(0)
})

test('a file whose name ends in capitals, which leaves the size of its images open', async () => {
  const path = at('MAPS.ONNX')
  const nodes = [node('Conv', ['image', 'w'], ['map']), node('GlobalAveragePool', ['map'], ['mean'])]
  await writeFile(
    path,
    writeModel(
      model({
        nodes: [...nodes, node('Flatten', ['mean'], ['out'])],
        initializers: { w: weights([4, 3, 3, 3]) },
        inputs: { image: ['float32', 'n', 3, 'h', 'w'] },
      }),
    ),
  )
  const args = ['train', data, '--out', at('capitals'), '--encoder', path, ...short]
  expectError(await isometry(args), 2, /leaves the height of its images open\. State it with --image-size\.$/)
  const trained = await isometry([...args, '--image-size', '10'])
  expect(trained.code, trained.stderr).toBe(0)
})

test('a batch in parts learns as the whole batch does, and several batches make one step', async () => {
  const run = async (name: string, ...more: string[]) => {
    const args = [
      'train',
      data,
      '--out',
      at(name),
      '--encoder',
      'mlp',
      '--image-size',
      '12',
      ...short,
      ...more,
      '--json',
    ]
    const { code, stdout, stderr } = await isometry(args)
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout)
  }
  const [whole, parts] = [await run('whole'), await run('parts', '--micro-batch', '7')]
  expect(parts.loss).toBeCloseTo(whole.loss, 3)
  expect(parts.settings.microBatch).toBe(7)
  expect((await run('several', '--accumulate', '3')).steps).toBe(8)
})

test('training that diverges leaves the last finite parameters as a model', async () => {
  const out = at('diverged')
  const settings = [
    '--image-size',
    '12',
    '--grayscale',
    '--loss',
    'triplet',
    '--metric',
    'squaredEuclidean',
    '--optimizer',
    'sgd',
    '--margin',
    '1000',
  ]
  const args = ['train', data, '--out', out, ...settings, '--learning-rate', '1e30', ...short]
  expectError(
    await isometry(args),
    1,
    /The loss became .* at step \d+\..* The model holds the parameters .*\. It is in .*diverged\./,
  )
  expect(await readdir(out)).toEqual(['encoder.onnx', 'history.jsonl', 'isometry.json'])
  expect((await isometry(['evaluate', out, data])).code).toBe(0)
})

test.each<[string[], number, RegExp]>([
  [
    ['--encoder', 'resnet'],
    2,
    /The encoder resnet is not known. Expected convolutional, mlp or a file that ends in \.onnx/,
  ],
  [['--encoder', 'nowhere.onnx'], 1, /nowhere\.onnx cannot be read/],
  [['--encoder', reference('transformer')], 2, /takes input_ids, attention_mask, not images/],
  [['--encoder', reference('residual'), '--dimension', '8'], 2, /Add --head linear/],
  [['--encoder', reference('residual'), '--pool', 'mean'], 2, /Pooling mean does not go with/],
  [['--encoder', reference('residual'), '--image-size', '12'], 2, /takes images of height 10, found height 12/],
  [['--encoder', reference('residual'), '--grayscale'], 2, /takes images of 3 channels/],
  [['--encoder', reference('residual'), '--freeze', 'nothing'], 2, /freezes no parameter\. There are stem\.weight/],
  [['--encoder', reference('residual'), '--freeze', '('], 2, /Unterminated group/],
  [['--encoder', reference('residual'), '--output', 'inner'], 2, /Nothing in the model computes "inner"/],
  [['--encoder', reference('residual'), '--mean', '1,x'], 2, /Expected a number/],
  [['--encoder', reference('residual'), '--backbone-rate', '0.1'], 2, /Add --head linear/],
  [['--encoder', 'mlp', '--pool', 'mean'], 2, /--pool belongs to encoders from ONNX files/],
  [['--micro-batch', '0'], 2, /--micro-batch/],
])('%j is refused', async (args, code, message) => {
  expectError(await isometry(['train', data, '--out', at('refused'), ...short, ...args]), code, message)
  await expect(readdir(at('refused'))).rejects.toThrow()
})
