import { describe, expect, test } from 'vitest'
import { UsageError } from '../errors.ts'
import { itemsOf, type Source, subset } from './source.ts'
import { vectors } from './vectors.ts'

const values = async (source: Source, rows: number[]) => [...(await source.read(rows)).data]

/** Vectors of one number, their row. */
const five = vectors(Float32Array.of(0, 1, 2, 3, 4), {
  dimension: 1,
  names: ['x', 'b/1', 'a/1', 'b/2', 'c/1'],
  labels: [null, 'b', 'a', 'b', 'c'],
  groups: [1, 1, 2, null, 2],
})

describe('subset', () => {
  test('takes the rows in the order given and numbers the classes that are left anew', async () => {
    const images = subset(five, [4, 0, 3, 1])
    expect(images.length).toBe(4)
    expect(itemsOf(images)).toEqual(['c/1', 'x', 'b/2', 'b/1'])
    expect(images.classes).toEqual(['b', 'c'])
    expect([...images.labels]).toEqual([1, -1, 0, 0])
    expect(await values(images, [1, 3])).toEqual([0, 1])
    expect([...images.groups!]).toEqual([1, 0, -1, 0])
    expect(images.input).toBe(five.input)
  })

  test('is a view that does not follow later changes of the rows', async () => {
    const rows = [4, 0]
    const images = subset(five, rows)
    rows[0] = 1
    expect(await values(images, [0])).toEqual([4])
  })

  test('of a subset, and of nothing', async () => {
    const images = subset(subset(five, [4, 2, 1]), [2, 0])
    expect(itemsOf(images)).toEqual(['b/1', 'c/1'])
    expect(await values(images, [0, 1])).toEqual([1, 4])
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
