import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataError, UsageError } from '../errors.ts'
import { itemsOf, labelsOf, subset } from './source.ts'
import { vectors } from './vectors.ts'

const data = Float32Array.of(0, 1, 2, 3, 4, 5)
const labels = ['b', null, 'a']

test('rows are read in any order, again and again', async () => {
  const source = vectors(data, { dimension: 2, labels })
  expect(source.input).toEqual({ kind: 'vector', dimension: 2 })
  expect(source.length).toBe(3)
  const read = await source.read([2, 0, 2])
  expect(read).toEqual({ dtype: 'float32', shape: [3, 2], data: Float32Array.of(4, 5, 0, 1, 4, 5) })
  await expect(source.read([3])).rejects.toThrow(UsageError)
  expect(() => source.item(-1)).toThrow('There is no row -1: the rows are 0 to 2')
})

test('labels and groups are numbers with names, those of numbers too', () => {
  const source = vectors(data, { dimension: 2, labels: [10, '10', 9], groups: ['x', null, 'x'] })
  expect(source.classes).toEqual(['10', '9'])
  expect([...source.labels]).toEqual([0, 0, 1])
  expect([...source.groups!]).toEqual([0, -1, 0])
  const plain = vectors(data, { dimension: 3 })
  expect(plain.classes).toEqual([])
  expect(labelsOf(plain)).toEqual([null, null])
  expect(plain.groups).toBeUndefined()
})

test('every label comes back by its name', () => {
  const label = fc.oneof(fc.string(), fc.integer(), fc.constant(null))
  fc.assert(
    fc.property(fc.array(label, { maxLength: 30 }), (drawn) => {
      const source = vectors(new Float32Array(drawn.length), { dimension: 1, labels: drawn })
      expect(labelsOf(source)).toEqual(drawn.map((each) => (each === null ? null : String(each))))
      expect(source.classes).toEqual([...source.classes].sort())
    }),
  )
})

test('rows without names are known by their number, of a subset by that of the whole', () => {
  expect(itemsOf(vectors(data, { dimension: 2, names: ['x', 'y', 'z'] }))).toEqual(['x', 'y', 'z'])
  expect(itemsOf(subset(vectors(data, { dimension: 2 }), [2, 0]))).toEqual(['row 2', 'row 0'])
})

test('the fingerprint changes with vectors, dimension, labels, groups and names, and with nothing else', () => {
  const print = (...args: Parameters<typeof vectors>) => vectors(...args).fingerprint
  const prints = [
    print(data, { dimension: 2 }),
    print(data, { dimension: 3 }),
    print(data, { dimension: 2, labels }),
    print(data, { dimension: 2, labels: ['b', null, 'c'] }),
    print(data, { dimension: 2, labels, groups: labels }),
    print(data, { dimension: 2, names: ['x', 'y', 'z'] }),
    print(Float32Array.of(0, 1, 2, 3, 4, 6), { dimension: 2 }),
  ]
  expect(new Set(prints).size).toBe(prints.length)
  expect(prints[0]).toMatch(/^[0-9a-f]{64}$/)
  const apart = new Float32Array([9, ...data]).subarray(1)
  expect(print(apart, { dimension: 2, labels: ['b', null, 'a'] })).toBe(prints[2])
})

test('a million rows cost a number each, and no object', () => {
  const rows = 1_000_000
  const before = process.memoryUsage().heapUsed
  const source = vectors(new Float32Array(rows * 2), {
    dimension: 2,
    labels: new Int32Array(rows).map((_, i) => i % 10),
  })
  expect(source.classes).toHaveLength(10)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * rows)
})

describe('refuses', () => {
  test.each([
    [() => vectors(data, { dimension: 4 }), '6 numbers are no vectors of 4: 2 are left over'],
    [() => vectors(data, { dimension: 2, labels: ['a'] }), 'There are 1 labels for 3 vectors'],
    [() => vectors(data, { dimension: 2, names: ['a'] }), 'There are 1 names for 3 vectors'],
    [() => vectors(data, { dimension: 2, groups: [] }), 'There are 0 groups for 3 vectors'],
    [() => vectors(Float32Array.of(1, 2, 3, Number.NaN), { dimension: 2 }), 'Row 1 of the vectors holds NaN'],
    [() => vectors(Float32Array.of(1, 2, -Infinity), { dimension: 1 }), 'Row 2 of the vectors holds -Infinity'],
  ])('%s', (make, message) => {
    expect(make).toThrow(DataError)
    expect(make).toThrow(message)
  })

  test.each([0, 1.5, Number.NaN])('a dimension of %s', (dimension) => {
    expect(() => vectors(data, { dimension })).toThrow(UsageError)
  })
})
