import fc from 'fast-check'
import { expect, test } from 'vitest'
import { literal, openDatabase } from '../data/tables/duckdb.ts'
import { UsageError } from '../errors.ts'
import { meets, parseCondition } from './condition.ts'
import type { Scalar } from './store/entry.ts'

const columns = ['camera', 'year', 'Odd name', 'seen']
const rows: Record<string, Scalar>[] = [
  { camera: 'a', year: 2019, 'Odd name': 'x%y', seen: true },
  { camera: 'b', year: 2021.5, 'Odd name': null, seen: false },
  { camera: null, year: null, 'Odd name': 'it’s', seen: null },
  { camera: 'A', year: -3, 'Odd name': '', seen: true },
  { camera: 'ab\nc', year: 0, 'Odd name': "o'clock", seen: false },
]
const found = (text: string) => {
  const condition = parseCondition(text, columns)
  return rows.flatMap((row, i) => (meets(condition, (name) => row[name]!) ? [i] : []))
}

test.each([
  ["camera = 'a'", [0]],
  ["'a' = camera", [0]],
  ["camera <> 'a' OR year < 0", [1, 3, 4]],
  ["NOT (camera = 'a')", [1, 3, 4]],
  ["not (year >= 2020) and camera in ('a', 'A')", [0, 3]],
  ["camera NOT IN ('a', 'A')", [1, 4]],
  ["NOT camera = 'a' AND NOT seen = true", [1, 4]],
  ["camera LIKE 'a%'", [0, 4]],
  ["camera not like 'a%'", [1, 3]],
  ['camera IS NULL', [2]],
  ['"Odd name" IS NOT NULL AND seen = true', [0, 3]],
  ['CAMERA is null or 2021 < year', [1, 2]],
  ['year = -3', [3]],
])('%s', (text, expected) => {
  expect(found(text)).toEqual(expected)
})

test('means what SQL means by it', async () => {
  const database = await openDatabase()
  const spelled = (value: Scalar) => (typeof value === 'string' ? literal(value) : String(value ?? 'NULL'))
  const values = rows.map((row, i) => `(${i}, ${columns.map((name) => spelled(row[name]!)).join(', ')})`).join(', ')
  const table = `SELECT * FROM (VALUES ${values}) t(place, ${columns.map((name) => `"${name}"`).join(', ')})`
  const texts = fc.constantFrom("'a'", "'b'", "'A'", "'%'", "'x_y'", "'a%c'", "''")
  const comparison = fc.oneof(
    fc
      .tuple(fc.constantFrom('camera', '"Odd name"'), fc.constantFrom('=', '<>', '!=', '<', '>='), texts)
      .map((each) => each.join(' ')),
    fc
      .tuple(fc.constantFrom('camera', '"Odd name"'), fc.constantFrom('LIKE', 'NOT LIKE'), texts)
      .map((each) => each.join(' ')),
    fc
      .tuple(fc.constantFrom('=', '<', '<=', '>', '<>'), fc.constantFrom('0', '-3', '2019', '2021.5'))
      .map((each) => `year ${each.join(' ')}`),
    fc.tuple(fc.constantFrom('IN', 'NOT IN'), texts, texts).map(([word, a, b]) => `camera ${word} (${a}, ${b})`),
    fc.constantFrom('seen = true', 'seen <> false', 'camera IS NULL', 'year IS NOT NULL'),
  )
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      comparison,
      fc
        .tuple(tie('condition'), fc.constantFrom('AND', 'OR'), tie('condition'))
        .map(([a, word, b]) => `(${a}) ${word} (${b})`),
      tie('condition').map((each) => `NOT (${each})`),
      fc
        .tuple(comparison, fc.constantFrom('AND', 'or'), comparison, fc.constantFrom('and', 'OR'), comparison)
        .map((each) => each.join(' ')),
    ),
  }))
  try {
    await fc.assert(
      fc.asyncProperty(condition, async (text) => {
        const expected: number[] = []
        for await (const part of database.read(`SELECT place FROM (${table}) WHERE ${text} ORDER BY place`)) {
          for (let row = 0; row < part.rows; row++) expected.push(part.number(0, row)!)
        }
        expect(found(text)).toEqual(expected)
      }),
      { numRuns: 200 },
    )
  } finally {
    database.close()
  }
})

test.each([
  ["colour = 'a'", /There is no column colour\. There are camera, year, Odd name, seen/],
  ['camera = a', /found a in place of a number or a text in single quotes/],
  ['camera', /found camera in place of a comparison/],
  ["camera = 'a'; drop table x", /cannot be read/],
  ["read_csv('/etc/passwd') = 'a'", /cannot be read: found something else in place of a column/],
  ["camera.length = 'a'", /cannot be read/],
  ['year + 1 = 2', /cannot be read/],
  ["camera IS 'a'", /IS is followed by NULL or NOT NULL/],
  ["camera = 'a", /cannot be read: Unclosed quote/],
  ['', /cannot be read/],
  [`camera = '${'a'.repeat(5000)}'`, /at most 4096 characters/],
  [`${'('.repeat(4000)}`, /cannot be read/],
])('%s cannot be said', (text, message) => {
  expect(() => parseCondition(text, columns)).toThrow(UsageError)
  expect(() => parseCondition(text, columns)).toThrow(message)
})

test('no pattern takes long', () => {
  const condition = parseCondition(`camera LIKE '${'%a'.repeat(1000)}b'`, columns)
  expect(meets(condition, () => 'a'.repeat(20_000))).toBe(false)
})
