import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DataError, UsageError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { writeSafetensors } from '../weights/safetensors.ts'
import { itemsOf, labelsOf, openSource, openVectorsFile } from './index.ts'

const embeddings: Tensor = { dtype: 'float32', shape: [3, 2], data: Float32Array.of(0, 1, 2, 3, 4, 5) }
let folder: string
const path = () => join(folder, 'some.safetensors')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isometry-vectors-'))
})
afterAll(() => rm(folder, { recursive: true }))

const write = (tensors: Record<string, Tensor>, metadata: Record<string, string> = {}) =>
  writeFile(path(), writeSafetensors({ tensors, metadata }))

test('vectors with all that a file can say of them', async () => {
  await write({ embeddings, more: embeddings }, { labels: '["b",null,"a"]', items: '["x","y",3]', groups: '[1,1,2]' })
  const source = await openVectorsFile(path())
  expect(source.input).toEqual({ kind: 'vector', dimension: 2 })
  expect((await source.read([2, 0])).data).toEqual(Float32Array.of(4, 5, 0, 1))
  expect(labelsOf(source)).toEqual(['b', null, 'a'])
  expect(itemsOf(source)).toEqual(['x', 'y', '3'])
  expect([...source.groups!]).toEqual([0, 0, 1])
  expect((await openSource(path(), { input: source.input })).fingerprint).toBe(source.fingerprint)
})

test('the only tensor is taken whatever its name, and it needs nothing beside it', async () => {
  await write({ anything: embeddings })
  const source = await openVectorsFile(path())
  expect(itemsOf(source)).toEqual(['row 0', 'row 1', 'row 2'])
  expect(source.classes).toEqual([])
})

describe('refuses in one line that names the file', () => {
  const nan: Tensor = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(0, Number.NaN) }
  test.each<[string, Record<string, Tensor>, Record<string, string>, RegExp]>([
    ['no vectors', {}, {}, /it holds no tensor; expected embeddings float32 \[n, d\]/],
    ['several', { a: embeddings, b: embeddings }, {}, /it holds a float32 \[3, 2\] and b float32 \[3, 2\]; expected/],
    ['a cube', { embeddings: { ...embeddings, shape: [3, 1, 2] } }, {}, /it holds embeddings float32 \[3, 1, 2\]/],
    ['NaN', { embeddings: nan }, {}, /Row 0 of the vectors holds NaN/],
    ['few labels', { embeddings }, { labels: '["a"]' }, /There are 1 labels for 3 vectors/],
    ['labels that are no list', { embeddings }, { labels: '{}' }, /its labels are no JSON list/],
    ['items that are no JSON', { embeddings }, { items: 'a, b, c' }, /its items are not JSON/],
  ])('%s', async (_, tensors, metadata, message) => {
    await write(tensors, metadata)
    const error = await openVectorsFile(path()).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(DataError)
    expect(error.message).toMatch(/^\S+some\.safetensors cannot be used: .+$/)
    expect(error.message).toMatch(message)
  })

  test('what is damaged, or not there', async () => {
    await writeFile(path(), 'hello')
    await expect(openVectorsFile(path())).rejects.toThrow(/some\.safetensors cannot be used: .*too few for a header/)
    await expect(openVectorsFile(join(folder, 'none'))).rejects.toThrow(/none cannot be read/)
  })

  test('what is of another form than is wanted', async () => {
    await write({ embeddings })
    const vectors = { kind: 'vector', dimension: 3 } as const
    const images = { kind: 'image', channels: 1, height: 4, width: 4, resize: 'stretch' } as const
    for (const [paths, input, message] of [
      [path(), vectors, /should hold vectors of 3 numbers, and has vectors of 2/],
      [path(), images, /should hold images of 1 × 4 × 4, and .* holds vectors/],
      ['letters', vectors, /should hold vectors of 3 numbers, which image files do not/],
      [[path(), path()], vectors, /is data of its own, found 2 names: .* Name it alone/],
    ] as const) {
      await expect(openSource(paths, { input })).rejects.toThrow(UsageError)
      await expect(openSource(paths, { input })).rejects.toThrow(message)
    }
  })
})
