/** The parts of a report that need no model. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cosine } from '../metrics/index.ts'
import { random } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { commandLine } from './command.ts'
import { readHistory } from './history.ts'
import { commonFolder } from './items.ts'
import { mapOf } from './map.ts'
import { worstFirst } from './neighbours.ts'
import { html, json } from './page/html.ts'

test('no text opens or closes a tag or an attribute, and JSON stays what it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'<>"\'&/aé') }), (text) => {
      expect(html`<b title="${text}">${text}</b>`.markup.replace(/^<b title="|">|<\/b>$/g, '')).not.toMatch(/[<>"']/)
      expect(json({ text }).markup).not.toContain('<')
      expect(JSON.parse(json({ text }).markup)).toEqual({ text })
    }),
  )
})

test('a command can be pasted', () => {
  expect(commandLine(['report', 'a b', "it's", 'plain/path'])).toBe(`isometry report 'a b' 'it'\\''s' plain/path`)
})

test('a long history becomes means of equal runs, and a part that was never said stays open', () => {
  const lines = Array.from({ length: 1000 }, (_, i) => JSON.stringify({ step: i + 1, loss: i, positiveDistance: 0.5 }))
  const { step, loss, positiveDistance, negativeDistance } = readHistory(lines.join('\n'))
  expect(step.length).toBeLessThanOrEqual(400)
  expect([step[0], step.at(-1)]).toEqual([3, 1000])
  expect(loss[0]).toBe(1)
  expect(new Set(positiveDistance)).toEqual(new Set([0.5]))
  expect(new Set(negativeDistance)).toEqual(new Set([null]))
  expect(readHistory('').step).toEqual([])
})

test('items share the folders above them, if any', () => {
  expect(commonFolder(['/a/b/x.png', '/a/b/c/y.png'])).toBe('/a/b/')
  expect(commonFolder(['a/b/x', 'a/bc/y'])).toBe('a/')
  expect(commonFolder(['a/x', 'b/y'])).toBe('')
  expect(commonFolder(['/a/x', '/b/y'])).toBe('')
  expect(commonFolder(['x'])).toBe('')
  expect(commonFolder([])).toBe('')
})

test('mistakes are worst where the right one is farthest down', () => {
  const query = (row: number, firstRight: number, distance: number) => ({
    row,
    firstRight,
    matches: [{ row: 9, distance, right: firstRight === 1 }],
  })
  const found = worstFirst([query(0, 2, 0.1), query(1, 1, 0), query(2, 9, 0.4), query(3, 9, 0.2)])
  expect(found.map(({ row }) => row)).toEqual([3, 2, 0])
})

test('a map keeps what is close close, and is the same again', async () => {
  const { uniform } = random(0, 'points')
  const data = Float32Array.from({ length: 60 * 4 }, (_, i) => {
    const [row, column] = [Math.floor(i / 4), i % 4]
    return (row % 3 === column ? 1 : 0) + uniform(-0.1, 0.1)
  })
  const embeddings: Tensor = { dtype: 'float32', shape: [60, 4], data }
  const places = (await mapOf(embeddings, cosine))!
  expect(await mapOf(embeddings, cosine)).toEqual(places)
  const nearestOf = (row: number) => {
    const distances = places.map(([x, y], i) =>
      i === row ? Number.POSITIVE_INFINITY : Math.hypot(x! - places[row]![0]!, y! - places[row]![1]!),
    )
    return distances.indexOf(Math.min(...distances))
  }
  for (let row = 0; row < 60; row++) expect(nearestOf(row) % 3).toBe(row % 3)
  expect(await mapOf({ ...embeddings, shape: [3, 4], data: data.subarray(0, 12) }, cosine)).toBeUndefined()
})
