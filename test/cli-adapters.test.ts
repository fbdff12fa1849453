/** Vectors on the command line: what `isometry embed` wrote, or anybody else, becomes data like images. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../src/weights/safetensors.ts'
import { isometry as asProcess } from './command.ts'
import { expectError, fixture } from './fixture.ts'
import { isometry } from './in-process.ts'
import { expectSameBytes } from './tolerance.ts'

let made: Awaited<ReturnType<typeof fixture>>
let vectors: string
const at = (...names: string[]) => made.at(...names)
const short = ['--steps', '20', '--threads', '1', '--classes-per-batch', '5', '--hold-out-classes', '0.4']

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await isometry(args)
  expect(code, stderr).toBe(0)
  return stdout
}
const rowsIn = async (file: string) => readSafetensors(await readFile(file)).tensors.embeddings!.data

beforeAll(async () => {
  made = await fixture()
  vectors = at('vectors.safetensors')
  await run('embed', made.model, made.data, '--out', vectors)
})
afterAll(() => made.dispose())

test('what embed wrote is trained on, evaluated, searched and embedded again', async () => {
  const model = at('adapter')
  const shown = JSON.parse(await run('train', vectors, '--out', model, '--residual', ...short, '--json'))
  expect(shown.settings).toMatchObject({ encoder: 'linear', residual: true, adapt: 'all', dimension: 8 })
  expect(shown.settings).not.toHaveProperty('imageSize')
  const { input, encoder } = JSON.parse(await readFile(join(model, 'isometry.json'), 'utf8'))
  expect(input).toEqual({ kind: 'vector', dimension: 8 })
  expect(encoder).toMatchObject({ name: 'linear', residual: true })
  expect(await run('evaluate', model, vectors)).toMatch(/^48 queries of 48 vectors, metric cosine\n/)
  const [first] = JSON.parse(await run('search', model, vectors, '--gallery', vectors, '-k', '2', '--json'))
  expect(first.query).toMatch(/0\.png$/)
  expect(first.matches).toHaveLength(2)
  expect(first.matches[0].item).not.toBe(first.query)
  await run('embed', model, vectors, '--out', at('again.safetensors'))
  expect(await rowsIn(at('again.safetensors'))).not.toEqual(await rowsIn(vectors))
})

test('an mlp of another length', async () => {
  await run('train', vectors, '--out', at('mlp'), '--encoder', 'mlp', '--dimension', '5', ...short)
  await run('embed', at('mlp'), vectors, '--out', at('short.safetensors'))
  expect(await rowsIn(at('short.safetensors'))).toHaveLength(48 * 5)
})

test('with queries adapted alone, a gallery is what it was, byte for byte', async () => {
  const euclidean = ['--loss', 'triplet', '--smooth', '--metric', 'euclidean']
  await run('train', vectors, '--out', at('queries'), '--residual', '--adapt', 'queries', ...euclidean, ...short)
  const [queries, gallery] = [at('queries.safetensors'), at('gallery.safetensors')]
  await run('embed', at('queries'), vectors, '--out', queries)
  await run('embed', at('queries'), vectors, '--out', gallery, '--role', 'gallery')
  expect(await rowsIn(gallery)).toEqual(await rowsIn(vectors))
  expect(await rowsIn(queries)).not.toEqual(await rowsIn(vectors))
})

test('with queries adapted alone, a pair is an adapted vector and one as it is, when it is calibrated and compared', async () => {
  const told = await run('calibrate', at('queries'), vectors, '--false-positive-rate', '0.05', '--json')
  const { threshold, pairs, truePositiveRate } = JSON.parse(told)
  expect(pairs).toEqual({ same: 120, different: 1008 })
  const [asked, raw] = [await rowsIn(at('queries.safetensors')), await rowsIn(vectors)]
  const labels = JSON.parse(readSafetensors(await readFile(vectors)).metadata.labels!) as string[]
  const distance = (a: number, b: number) =>
    Math.hypot(...Array.from({ length: 8 }, (_, k) => Number(asked[8 * a + k]) - Number(raw[8 * b + k])))
  const accepted = { same: 0, different: 0 }
  for (const [a, label] of labels.entries()) {
    for (let b = a + 1; b < labels.length; b++) {
      if (distance(a, b) <= threshold) accepted[label === labels[b] ? 'same' : 'different']++
    }
  }
  expect(accepted.same / 120).toBeCloseTo(truePositiveRate, 10)
  expect(accepted.different).toBeLessThanOrEqual(0.05 * 1008)

  const one = async (row: number) => {
    const data = Float32Array.from({ length: 8 }, (_, k) => Number(raw[8 * row + k]))
    const file = at(`one${row}.safetensors`)
    const embeddings = { dtype: 'float32', shape: [1, 8], data } as const
    await writeFile(file, writeSafetensors({ tensors: { embeddings }, metadata: {} }))
    return file
  }
  const [a, b] = [await one(0), await one(7)]
  for (const [from, to, expected] of [
    [a, b, distance(0, 7)],
    [b, a, distance(7, 0)],
  ] as const) {
    const compared = JSON.parse(await run('compare', at('queries'), from, to, '--json'))
    expect(compared.distance).toBeCloseTo(expected, 4)
    expect(compared).toMatchObject({ threshold, same: compared.distance <= threshold, falsePositiveRate: 0.05 })
  }
  expect(distance(0, 7)).not.toBeCloseTo(distance(7, 0), 4)
})

test('interrupted and resumed, an adapter ends in the bytes of one that was not', async () => {
  const begin = (out: string) => {
    return ['train', vectors, '--out', at(out), ...['--residual', '--adapt', 'queries'], ...short, '--steps', '1000']
  }
  await run(...begin('whole'))
  // Once: twice would end it before anything is kept.
  let sent = false
  const stopped = await asProcess(begin('cut'), (stderr, kill) => {
    if (!sent && stderr.includes('step ')) kill('SIGINT')
    sent ||= stderr.includes('step ')
  })
  expect(stopped.code, stopped.stderr).toBe(130)
  await run('train', '--resume', at('cut'))
  const [whole, cut] = await Promise.all(['whole', 'cut'].map((name) => readFile(at(name, 'encoder.onnx'))))
  expectSameBytes(cut!, whole!)
})

describe('refuses', () => {
  test.each<[string[], RegExp]>([
    [['--encoder', 'convolutional'], /The encoder convolutional takes no vectors\. Expected linear or mlp/],
    [['--residual', '--dimension', '5'], /adds to the vectors, so its embeddings have their 8 numbers/],
    [['--adapt', 'queries', '--dimension', '5'], /Adapted queries of 5 numbers cannot be compared with vectors of 8/],
    [['--image-size', '12'], /--image-size belongs to images/],
    [['--grayscale'], /--grayscale belongs to images/],
    [['--head', 'linear'], /--head belongs to encoders from ONNX files/],
    [['--adapt', 'queries', '--loss', 'arcface'], /arcface compares labelled examples with weights of its own/],
    [['--adapt', 'gallery'], /--adapt/],
  ])('%j of vectors', async (args, message) => {
    expectError(await isometry(['train', vectors, '--out', at('not'), ...short, ...args]), 2, message)
  })

  test('adapters of images', async () => {
    for (const [args, message] of [
      [['--residual'], /--residual belongs to adapters of vectors/],
      [['--encoder', 'linear'], /The encoder linear is not known for images/],
    ] as const) {
      expectError(await isometry(['train', made.data, '--out', at('not'), ...args]), 2, message)
    }
  })

  test('a model whose description adapts something else', async () => {
    const model = at('strange')
    await run('train', vectors, '--out', model, '--dimension', '5', ...short)
    const file = join(model, 'isometry.json')
    const description = JSON.parse(await readFile(file, 'utf8'))
    for (const [adapt, message] of [
      ['gallery', /adapts "gallery" of vectors of 8 numbers to 5; expected "queries"/],
      ['queries', /adapts "queries" of vectors of 8 numbers to 5; expected "queries", of vectors of as many numbers/],
    ] as const) {
      await writeFile(file, JSON.stringify({ ...description, adapt }))
      expectError(await isometry(['evaluate', model, vectors]), 1, message)
    }
  })

  test('files that hold no vectors, or others', async () => {
    const file = at('other.safetensors')
    expectError(
      await isometry(['train', at('none.safetensors'), '--out', at('not')]),
      1,
      /none\.safetensors cannot be read/,
    )
    await writeFile(file, writeSafetensors({ tensors: {}, metadata: {} }))
    expectError(await isometry(['train', file, '--out', at('not')]), 1, /it holds no tensor/)
    expectError(
      await isometry(['evaluate', made.model, vectors]),
      2,
      /should hold images of 1 × 12 × 12, and .* holds vectors/,
    )
  })
})
