/** `isometry train` with every loss, miner and reducer by its library name, and what wraps them; `isometry losses`. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lossesByName, reducerNames } from '../src/losses/by-name.ts'
import { minerNames } from '../src/mining/by-name.ts'
import { expectError } from './fixture.ts'
import { temporaryFolder, writeImages } from './images.ts'
import { isometry } from './in-process.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (name: string) => join(folder.path, name)
beforeAll(async () => {
  folder = await temporaryFolder()
  await writeImages(at('data'), ['a', 'b', 'c', 'd', 'e'], 5)
})
afterAll(() => folder.dispose())

const small = ['--encoder', 'mlp', '--dimension', '8', '--image-size', '8', '--grayscale', '--threads', '1']
const few = ['--steps', '3', '--classes-per-batch', '4', '--per-class', '2', '--hold-out-classes', '0', '--force']

async function trained(args: readonly string[], name: string) {
  const found = await isometry(['train', at('data'), '--out', at(name), '--json', ...small, ...few, ...args])
  expect(found.code, found.stderr).toBe(0)
  return JSON.parse(found.stdout) as { loss: number; settings: Record<string, unknown> }
}

const labelled = [...lossesByName.keys()].filter((name) => name !== 'quadruplet')

test.each(labelled)('--loss %s', async (name) => {
  const views = lossesByName.get(name)!.make({}).views ? ['--augment'] : []
  const { loss, settings } = await trained(['--loss', name, ...views], name)
  expect(Number.isFinite(loss)).toBe(true)
  expect(settings).toMatchObject({ loss: name })
  const written = JSON.parse(await readFile(join(at(name), 'isometry.json'), 'utf8'))
  expect(written.loss.name).toBe(name)
  expect(written.metric).toBe(settings.metric)
})

test('a loss over tuples alone says so before anything is trained', async () => {
  const args = ['train', at('data'), '--out', at('none'), '--loss', 'quadruplet', ...small, ...few]
  expectError(await isometry(args), 2, /quadruplet needs tuples/)
})

test.each(minerNames)('--mining %s', async (name) => {
  const { settings } = await trained(['--loss', 'contrastive', '--mining', name], 'mined')
  expect(settings).toMatchObject({ mining: name })
})

test.each(reducerNames)('--reducer %s', async (name) => {
  const settings = { threshold: '{"low": 0.1}', classWeighted: '{"weights": [1, 2]}' }[name]
  const given = settings ? ['--reducer-settings', settings] : []
  const found = await trained(['--loss', 'triplet', '--reducer', name, ...given], 'reduced')
  expect(found.settings).toMatchObject({ reduce: name })
})

describe('settings', () => {
  test('are flags, or a JSON object, and are written down', async () => {
    const flags = await trained(['--loss', 'multiSimilarity', '--alpha', '3', '--base', '0.4'], 'flags')
    const object = await trained(
      ['--loss', 'multiSimilarity', '--loss-settings', '{"alpha": 3, "base": 0.4}'],
      'object',
    )
    expect(flags.loss).toBe(object.loss)
    expect(flags.settings).toMatchObject({ alpha: 3, base: 0.4, beta: 50 })
    const swapped = await trained(['--loss', 'triplet', '--swap', '--margin', '0.4'], 'swapped')
    expect(swapped.settings).toMatchObject({ swap: true, margin: 0.4 })
    const mined = ['--mining', 'tripletMargin', '--mining-settings', '{"triplets": "semihard", "margin": 0.5}']
    expect((await trained(['--loss', 'triplet', ...mined], 'semihard')).settings).toMatchObject({
      mining: 'tripletMargin',
    })
  })

  test('a memory, views, a slow encoder, several lengths', async () => {
    const moco = ['--loss', 'ntxent', '--self-supervised', '--augment', '--memory', '64', '--encoder-momentum', '0.9']
    expect((await trained(moco, 'moco')).settings).toMatchObject({ memory: 64, encoderMomentum: 0.9 })
    const memory = ['--loss', 'triplet', '--mining', 'batchHard', '--memory', '32', '--accumulate', '2']
    expect((await trained(memory, 'memory')).settings).toMatchObject({ memory: 32 })
    const nested = await trained(['--loss', 'multipleNegatives', '--matryoshka', '2,4,8'], 'nested')
    expect(nested.settings).toMatchObject({ dimensions: [2, 4, 8] })
    const parts = await trained(['--loss', 'arcface', '--micro-batch', '3'], 'parts')
    const whole = await trained(['--loss', 'arcface'], 'whole')
    expect(parts.loss).toBeCloseTo(whole.loss, 3)
  })
})

test('`isometry losses` lists every loss with its settings, miners and reducers', async () => {
  const { code, stdout } = await isometry(['losses'])
  expect(code).toBe(0)
  for (const name of [...lossesByName.keys(), ...minerNames, ...reducerNames]) expect(stdout).toContain(name)
  expect(stdout).toMatch(/ntxent +cosine +temperature 0\.07\n/)
  const { losses } = JSON.parse((await isometry(['losses', '--json'])).stdout)
  expect(losses).toHaveLength(lossesByName.size)
})
