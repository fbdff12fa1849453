import { expect, test } from 'vitest'
import { comparedWith } from './compared-with.ts'
import { itemsOf, labelsOf } from './source.ts'
import { vectors } from './vectors.ts'

const source = (first: number, labels: (string | null)[], groups?: string[]) => {
  const data = Float32Array.from({ length: 2 * labels.length }, (_, i) => first + i)
  return vectors(data, { dimension: 2, labels, groups, names: labels.map((_, row) => `${first} ${row}`) })
}

test('rows, classes and groups of both are read by their places, in any order', async () => {
  const [queries, gallery] = [source(0, ['b', null], ['x', 'y']), source(100, ['a', 'b', 'c'], ['y', 'z', 'x'])]
  const both = comparedWith(queries, gallery)
  expect(labelsOf(both)).toEqual(['b', null, 'a', 'b', 'c'])
  expect(itemsOf(both)).toEqual(['0 0', '0 1', '100 0', '100 1', '100 2'])
  expect([...both.gallery!]).toEqual([0, 0, 1, 1, 1])
  expect(Array.from(both.groups!, (group) => both.groupNames![group])).toEqual(['x', 'y', 'y', 'z', 'x'])
  const { shape, data } = await both.read([4, 0, 2, 0])
  expect(shape).toEqual([4, 2])
  expect([...data]).toEqual([104, 105, 0, 1, 100, 101, 0, 1])
  expect(comparedWith(queries, source(100, ['a'])).groupNames).toEqual(['x', 'y'])
  expect(comparedWith(source(0, ['a']), source(9, ['a'])).groups).toBeUndefined()
  expect(both.fingerprint).not.toBe(comparedWith(gallery, queries).fingerprint)
})
