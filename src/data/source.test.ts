import { describe, expect, test } from 'vitest'
import { UsageError } from '../errors.ts'
import type { ImageInput } from '../inputs/image.ts'
import { type Example, holdImages, itemsOf, type Source, subset } from './source.ts'

const input: ImageInput = { kind: 'image', channels: 1, height: 1, width: 2, resize: 'stretch' }

/** An example of each name, where the bytes are its place; the class is what stands before the last slash. */
const examples = (...names: string[]): Example[] =>
  names.map((name, i) => ({
    path: `/data/${name}`,
    name,
    class: name.slice(0, Math.max(0, name.lastIndexOf('/'))),
    bytes: Uint8Array.of(i, i),
  }))

const hold = (...names: string[]) => holdImages(input, examples(...names))
const bytes = async (source: Source, rows: number[]) => [...(await source.read(rows)).data]
const five = hold('x', 'b/1', 'a/1', 'b/2', 'c/1')

test('fingerprint changes with names, labels, bytes, order and shape, and with nothing else', () => {
  const same = holdImages({ ...input }, examples('b/1', 'a/1'))
  const moved = examples('b/1', 'a/1').map((example) => ({ ...example, path: `/elsewhere/${example.name}` }))
  expect(same.fingerprint).toMatch(/^[0-9a-f]{64}$/)
  expect(holdImages(input, moved).fingerprint).toBe(same.fingerprint)

  const [b, a] = examples('b/1', 'a/1') as [Example, Example]
  const others = [
    hold('b/2', 'a/1'),
    hold('b/1', 'c/1'),
    holdImages(input, [b, { ...a, class: '' }]),
    holdImages(input, [b, { ...a, bytes: Uint8Array.of(1, 2) }]),
    holdImages(input, [a, b]),
    holdImages(input, [b]),
    holdImages({ ...input, height: 2, width: 1 }, [b, a]),
  ]
  expect(new Set([same, ...others].map((images) => images.fingerprint)).size).toBe(8)
})

describe('subset', () => {
  test('takes the rows in the order given and numbers the classes that are left anew', async () => {
    const images = subset(five, [4, 0, 3, 1])
    expect(images.length).toBe(4)
    expect(itemsOf(images)).toEqual(['/data/c/1', '/data/x', '/data/b/2', '/data/b/1'])
    expect(images.classes).toEqual(['b', 'c'])
    expect([...images.labels]).toEqual([1, -1, 0, 0])
    expect(await bytes(images, [1, 3])).toEqual([0, 0, 1, 1])
    expect(images.input).toBe(input)
  })

  test('is a view that does not follow later changes of the rows', async () => {
    const rows = [4, 0]
    const images = subset(five, rows)
    rows[0] = 1
    expect(await bytes(images, [0])).toEqual([4, 4])
  })

  test('of a subset, and of nothing', async () => {
    const images = subset(subset(five, [4, 2, 1]), [2, 0])
    expect(itemsOf(images)).toEqual(['/data/b/1', '/data/c/1'])
    expect(await bytes(images, [0, 1])).toEqual([1, 1, 4, 4])
    expect(subset(five, []).classes).toEqual([])
  })

  test('has a fingerprint of its own, the same for the same rows', () => {
    const prints = [five, subset(five, [0, 1]), subset(five, [1, 0]), subset(five, [0])].map((it) => it.fingerprint)
    expect(new Set(prints).size).toBe(4)
    expect(subset(five, Int32Array.of(0, 1)).fingerprint).toBe(prints[1])
  })

  test('refuses rows that are not there', async () => {
    for (const row of [5, -1, 0.5, Number.NaN]) expect(() => subset(five, [row])).toThrow(UsageError)
    await expect(subset(five, [4]).read([1])).rejects.toThrow(UsageError)
    expect(() => subset(five, [4]).item(1)).toThrow(UsageError)
  })
})
