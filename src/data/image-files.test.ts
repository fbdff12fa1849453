/** Image files as examples: decoded when they are opened, or when they are read. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DataError, InterruptedError } from '../errors.ts'
import { type ImageExample, openImageFiles } from './image-files.ts'

const input = { kind: 'image', channels: 1, height: 2, width: 2, resize: 'stretch' } as const
const COUNT = 40

let folder: string
let examples: ImageExample[]
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isometry-files-'))
  examples = Array.from({ length: COUNT }, (_, i) => example(i))
  // The left half of each is of its own gray, the right half white.
  for (let i = 0; i < COUNT; i++) {
    const bytes = Uint8Array.from({ length: 8 * 4 }, (_, pixel) => (pixel % 8 < 4 ? i : 255))
    await writeFile(
      join(folder, `${i}.png`),
      await sharp(bytes, { raw: { width: 8, height: 4, channels: 1 } })
        .png()
        .toBuffer(),
    )
  }
})
afterAll(() => rm(folder, { recursive: true }))

const left = { x: 0, y: 0, width: 4, height: 4 }
const example = (i: number): ImageExample => ({
  path: join(folder, `${i}.png`),
  name: `${i}`,
  class: `${i % 5}`,
  box: left,
})
const quiet = { input, warn() {} }

test('a box is the example, and nothing outside of it', async () => {
  const source = await openImageFiles([example(7), { ...example(7), box: { x: 4, y: 1, width: 3, height: 2 } }], quiet)
  expect([...(await source.read([0, 1])).data]).toEqual([...Array(4).fill(7), ...Array(4).fill(255)])
})

test.each([
  [{ x: 5, y: 0, width: 4, height: 4 }],
  [{ x: 0, y: 0, width: 0, height: 4 }],
  [{ x: -1, y: 0, width: 4, height: 4 }],
  [{ x: 0, y: 0.5, width: 4, height: 2 }],
])('a box that is not inside of its image is refused: %o', async (box) => {
  await expect(openImageFiles([{ ...example(0), box, required: true }], quiet)).rejects.toThrow(
    /is not inside of the image, which has 8 x 4/,
  )
})

test('what does not fit into memory is decoded when it is read, and is the same', async () => {
  const [all, few] = [await openImageFiles(examples, quiet), await openImageFiles(examples, { ...quiet, memory: 24 })]
  const rows = [39, 0, 7, 7, 21, 0, 3]
  for (let round = 0; round < 3; round++) expect(await few.read(rows)).toEqual(await all.read(rows))
  expect([...(await few.read([21])).data]).toEqual(Array(4).fill(21))
  expect(few.labels).toEqual(all.labels)
})

test('an image that is gone or broken when it is read is named', async () => {
  const path = join(folder, 'later.png')
  const bytes = await sharp({ create: { width: 300, height: 300, channels: 3, background: 'red' } })
    .png({ compressionLevel: 0 })
    .toBuffer()
  await writeFile(path, bytes)
  const later = { path, name: 'later', class: 'a' }
  const source = await openImageFiles([...examples, later], { ...quiet, memory: 8 })
  await writeFile(path, bytes.subarray(0, 2000))
  await expect(source.read([0, COUNT])).rejects.toThrow(DataError)
  await expect(source.read([0, COUNT])).rejects.toThrow(/later\.png cannot be decoded/)
  await rm(path)
  await expect(source.read([COUNT])).rejects.toThrow(/later\.png cannot be read/)
  expect((await source.read([0])).shape).toEqual([1, 1, 2, 2])
})

test('reading stops when it is told to', async () => {
  const source = await openImageFiles(examples, { ...quiet, memory: 8 })
  await expect(source.read([0, 1], AbortSignal.abort())).rejects.toThrow(InterruptedError)
})

test('the fingerprint changes with names, classes, groups, content, order and form, and with nothing else', async () => {
  const of = async (some: readonly ImageExample[], options: object = {}) =>
    (await openImageFiles(some, { ...quiet, ...options })).fingerprint
  const [a, b] = [example(1), example(2)]
  const copy = join(folder, 'copy.png')
  await writeFile(copy, await sharp(a.path).png().toBuffer())
  const first = await of([a, b])
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  expect(await of([{ ...a, path: copy }, b])).toBe(first)
  const others = [
    of([{ ...a, name: 'x' }, b]),
    of([{ ...a, class: 'x' }, b]),
    of([{ ...a, group: 'x' }, b]),
    of([{ ...a, path: b.path }, b]),
    of([b, a]),
    of([a]),
    of([a, b], { input: { ...input, height: 1, width: 4 } }),
    // By how long files are, where not all are decoded.
    of([a, b], { memory: 4 }),
  ]
  expect(new Set([first, ...(await Promise.all(others))]).size).toBe(others.length + 1)
})
