/** `isometry train --config`: settings from a file, and the file that makes a model again. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectError } from './fixture.ts'
import { temporaryFolder, writeImages } from './images.ts'
import { isometry } from './in-process.ts'
import { expectSameBytes } from './tolerance.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
beforeAll(async () => {
  folder = await temporaryFolder()
  await writeImages(at('data'), ['a', 'b', 'c', 'd', 'e', 'f'], 5)
})
afterAll(() => folder.dispose())

const bytes = (model: string) => readFile(at(model, 'encoder.onnx'))
const config = async (model: string) => JSON.parse(await readFile(at(model, 'config.json'), 'utf8'))

const yaml = `
# Paths are relative to this file.
data: data
out: from-file
encoder: mlp
dimension: 8
imageSize: 8
grayscale: true
augment: true
loss: triplet
lossSettings: { margin: 0.3 }
mining: semiHard
optimizer: adamW
weightDecay: 0.02
schedule: cosine
classesPerBatch: 4
perClass: 2
holdOutClasses: 0.4
epochs: 4
evaluateEvery: 3
keep: last
tensorboard: runs
seed: 3
threads: 1
`

test('a file is what the flags are, and the model keeps the file that makes it again', async () => {
  await writeFile(at('settings.yaml'), yaml)
  const made = await isometry(['train', '--config', at('settings.yaml'), '--json'])
  expect(made.code, made.stderr).toBe(0)
  const flags = [
    ...['train', at('data'), '--out', at('from-flags'), '--encoder', 'mlp', '--dimension', '8', '--image-size', '8'],
    ...['--grayscale', '--augment', '--loss', 'triplet', '--margin', '0.3', '--mining', 'semiHard'],
    ...['--optimizer', 'adamW', '--weight-decay', '0.02', '--schedule', 'cosine', '--classes-per-batch', '4'],
    ...['--per-class', '2', '--hold-out-classes', '0.4', '--epochs', '4', '--seed', '3', '--threads', '1'],
  ]
  const same = await isometry(flags)
  expect(same.code, same.stderr).toBe(0)
  expectSameBytes(await bytes('from-flags'), await bytes('from-file'))

  const kept = await config('from-file')
  expect(kept).toMatchObject({
    loss: 'triplet',
    lossSettings: { margin: 0.3, swap: false },
    metric: 'cosine',
    threads: 1,
  })
  expect(kept.data).toBe(at('data'))
  expect(kept.steps).toBeUndefined()
  const again = await isometry(['train', '--config', at('from-file', 'config.json'), '--out', at('again')])
  expect(again.code, again.stderr).toBe(0)
  expectSameBytes(await bytes('again'), await bytes('from-file'))
  expect(await config('again')).toEqual({ ...kept, out: at('again') })
  // What was a default is written down, so that it stays what it was.
  expect(await config('from-flags')).toMatchObject({ learningRate: 0.003, accumulate: 1 })
})

test('flags go before the file', async () => {
  await writeFile(
    at('settings.json'),
    JSON.stringify({ data: 'data', encoder: 'mlp', imageSize: 8, steps: 3, seed: 1 }),
  )
  const result = await isometry([
    'train',
    '--config',
    at('settings.json'),
    '--out',
    at('flagged'),
    '--seed',
    '2',
    '--json',
  ])
  expect(result.code, result.stderr).toBe(0)
  expect(JSON.parse(result.stdout)).toMatchObject({ steps: 3, settings: { seed: 2 } })
})

test.each([
  [
    'stepz: 3',
    2,
    /has a setting stepz, which does not exist\. There are data, query, queryFolder, out, .* threads, device, .* and the settings of losses\./,
  ],
  ['steps: many', 2, /steps is "many"\. Expected a whole number of at least 1/],
  ['steps: 0', 2, /steps is 0\. Expected a whole number/],
  ['metric: taxicab', 2, /metric is "taxicab"\. Allowed choices are cosine/],
  ['grayscale: 3', 2, /grayscale is 3\. Expected true or false/],
  ['mean: 3', 2, /mean is 3\. Expected a list/],
  ['lossSettings: [1]', 2, /lossSettings is \[1\]\. Expected a JSON object/],
  ['lossSettings: { temperature: 1 }', 2, /has no setting temperature/],
  ['data: 3', 2, /data is 3; expected a path/],
  ['encoder: { a: 1 }', 2, /Expected one value/],
  ['- a', 1, /expected settings by name/],
  ['a: [', 1, /is neither JSON nor YAML: /],
])('%s', async (text, code, message) => {
  const file = at('wrong.yaml')
  await writeFile(file, text)
  expectError(await isometry(['train', at('data'), '--out', at('never'), '--config', file]), code, message)
})

test('a file that is not there', async () => {
  expectError(
    await isometry(['train', '--config', at('none.json')]),
    1,
    /none\.json is not there\. Name a JSON or YAML/,
  )
})

test('the published schema is that of the flags', async () => {
  const root = join(import.meta.dirname, '..')
  await promisify(execFile)(process.execPath, [join(root, 'scripts', 'schema.mjs'), at('schema.json')])
  const published = await readFile(join(root, 'schema', 'train.json'), 'utf8')
  expect(published, 'npm run schema renews it').toBe(await readFile(at('schema.json'), 'utf8'))
  const { properties } = JSON.parse(published)
  expect(properties.steps).toEqual({ type: 'integer', minimum: 1, description: 'training steps', default: 1000 })
  expect(properties.metric.enum).toContain('cosine')
  expect(properties.margin).toMatchObject({ type: 'number' })
  for (const name of ['json', 'debug', 'resume', 'config', 'force', 'version'])
    expect(properties).not.toHaveProperty(name)
})
