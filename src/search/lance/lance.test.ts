import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { metricsByName } from '../../metrics/by-name.ts'
import type { Metric } from '../../metrics/metric.ts'
import { random } from '../../random.ts'
import { meets, parseCondition } from '../condition.ts'
import { nearest } from '../index.ts'
import { columnOf, type Entry } from '../store/entry.ts'
import type { Items } from '../store/part.ts'
import { addItems, createItems, openItemsIn, removeItems } from '../stores.ts'
import { openItems, writeLanceHead } from './head.ts'
import { loadPackages } from './package.ts'
import { toTable } from './rows.ts'

const DIMENSION = 8
const compute = { threads: 1 }
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isometry-lance-'))
})
afterAll(() => rm(folder, { recursive: true }))

const { uniform, integer } = random(0, 'lance')
const drawn = (rows: number) => Float32Array.from({ length: rows * DIMENSION }, () => uniform(-1, 1))
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
const entriesOf = (items: readonly string[]): Entry[] =>
  items.map((item, i) => ({ item, label: i % 2 === 0 ? 'even' : null, metadata: { number: i } }))

async function* parts(entries: readonly Entry[], vectors = drawn(entries.length), atOnce = 100): AsyncGenerator<Items> {
  for (let i = 0; i < entries.length; i += atOnce) {
    yield { vectors: vectors.subarray(i * DIMENSION, (i + atOnce) * DIMENSION), entries: entries.slice(i, i + atOnce) }
  }
}
const of = (metric: Metric) => ({ model: 'a model', metric: metric.name, dimension: DIMENSION })
const chord = metricsByName.get('chord')!
const store = 'lancedb'
const silent = () => {}
const all = async (path: string) => {
  const index = await openItemsIn(path, chord, compute, silent)
  const queries = { dtype: 'float32', shape: [1, DIMENSION], data: drawn(1) } as const
  const [found] = await index.nearest(queries, { k: index.size + 1 })
  await index.release()
  expect(found).toHaveLength(index.size)
  return found!.map(({ entry }) => entry.item).sort()
}

/** Vectors as an encoder gives them: of unit length where directions count, some of them twice, and one of zeros. */
function embedded(rows: number, { directional }: Metric): Float32Array<ArrayBuffer> {
  const data = drawn(rows)
  data.copyWithin(0, 40 * DIMENSION, 60 * DIMENSION)
  data.fill(0, 7 * DIMENSION, 8 * DIMENSION)
  if (!directional) return data
  for (let row = 0; row < rows; row++) {
    const vector = data.subarray(row * DIMENSION, (row + 1) * DIMENSION)
    const length = Math.hypot(...vector) || 1
    for (let i = 0; i < DIMENSION; i++) vector[i]! /= length
  }
  return data
}

test.each([...metricsByName.values()])(
  'finds what exact search finds, in its order and unit: $name',
  async (metric) => {
    const path = join(folder, metric.name)
    const vectors = embedded(600, metric)
    await createItems(path, of(metric), parts(entriesOf(names('a', 600)), vectors), { store, metric, compute })
    const told: string[] = []
    const index = await openItemsIn(path, metric, compute, (message) => told.push(message))
    expect(told).toEqual(
      metric.search ? [] : [`no index orders as the metric ${metric.name} does: every vector is looked at`],
    )
    const queries = {
      dtype: 'float32',
      shape: [3, DIMENSION],
      data: embedded(70, metric).slice(0, 3 * DIMENSION),
    } as const
    const gallery = { dtype: 'float32', shape: [600, DIMENSION], data: vectors } as const
    const expected = await nearest(queries, gallery, metric, { k: 600, ...compute })
    const found = await index.nearest(queries, { k: 30 })
    const even = await index.nearest(queries, { k: 10, where: "label = 'even' AND number < 400" })
    for (const query of [0, 1, 2]) {
      const order = Array.from({ length: 600 }, (_, i) => expected.indices[query * 600 + i]!)
      expect(found[query]!.map(({ row }) => row)).toEqual(order.slice(0, 30))
      for (const [i, { row, entry, distance, vector }] of found[query]!.entries()) {
        expect(entry.item).toBe(`a${row}`)
        expect(distance).toBeCloseTo(expected.distances[query * 600 + i]!, 5)
        expect(vector).toEqual(vectors.subarray(row * DIMENSION, (row + 1) * DIMENSION))
      }
      const meeting = order.filter((row) => row % 2 === 0 && row < 400).slice(0, 10)
      expect(even[query]!.map(({ row }) => row)).toEqual(meeting)
    }
    expect(await index.nearest(queries, { k: 3, where: 'number < 0' })).toEqual([[], [], []])
    expect(await index.nearest(queries, { k: 1000, where: 'number < 5' })).toMatchObject([{ length: 5 }, {}, {}])
    expect((await index.entry(11)).item).toBe('a11')
    await expect(index.entry(600)).rejects.toThrow(/There is no row 600/)
    await index.release()
  },
)

test('conditions find what they find without LanceDB, whatever columns hold', async () => {
  const values = [
    null,
    5,
    0,
    -3.5,
    1e21,
    1e-7,
    '5',
    '',
    ' ',
    'abc',
    "it's 100%_\\",
    'ABC',
    'true',
    true,
    false,
    '5.0',
    '2020-01',
  ]
  const entries = Array.from({ length: 150 }, (_, i): Entry => {
    const any = () => values[integer(values.length)]!
    return {
      item: `i${i}`,
      label: i % 3 === 0 ? null : String(i % 7),
      metadata: { x: any(), 'a "b".c': any(), ...(i > 100 && { late: any() }) },
    }
  })
  const path = join(folder, 'conditions')
  await createItems(path, of(chord), parts(entries, drawn(150), 40), { store, metric: chord, compute })
  const index = await openItemsIn(path, chord, compute, silent)
  expect(index.columns).toEqual(['item', 'label', 'path', 'x', 'a "b".c', 'late'])
  const literals = [
    '5',
    '0',
    '-3.5',
    '1e21',
    '0.0000001',
    "'5'",
    "''",
    "'abc'",
    "'ABC'",
    'true',
    'false',
    "'1%'",
    "'%b_'",
    "'%\\\\%'",
  ]
  const columns = ['x', 'late', 'label', 'item', 'path']
  const pick = (from: readonly string[]) => from[integer(from.length)]!
  const compare = (): string => {
    const kind = integer(8)
    if (kind === 0) return `${pick(columns)} IS ${pick(['NULL', 'NOT NULL'])}`
    if (kind === 1) return `${pick(columns)} ${pick(['IN', 'NOT IN'])} (${pick(literals)}, ${pick(literals)})`
    return `${pick(columns)} ${pick(['=', '<>', '<', '<=', '>', '>=', 'LIKE', 'NOT LIKE'])} ${pick(literals)}`
  }
  const any = (depth: number): string => {
    if (depth === 0) return compare()
    const kind = integer(3)
    if (kind === 0) return `NOT (${any(depth - 1)})`
    return `(${any(depth - 1)} ${kind === 1 ? 'AND' : 'OR'} ${any(depth - 1)})`
  }
  const query = { dtype: 'float32', shape: [1, DIMENSION], data: drawn(1) } as const
  let some = 0
  for (let i = 0; i < 150; i++) {
    const where = any(i % 4)
    const condition = parseCondition(where, index.columns)
    const expected = entries.filter((entry) => meets(condition, columnOf(entry))).map(({ item }) => item)
    const [found] = await index.nearest(query, { k: 200, where })
    expect(found!.map(({ entry }) => entry.item).sort(), where).toEqual(expected.sort())
    if (expected.length > 0 && expected.length < 150) some++
  }
  expect(some).toBeGreaterThan(50)
  await expect(index.nearest(query, { k: 1, where: "read_csv('/etc/passwd') = 1" })).rejects.toThrow(/cannot be read/)
  await expect(index.nearest(query, { k: 1, where: 'c0_s = 1' })).rejects.toThrow(/no column c0_s/)
  await index.release()
})

test('items are added, replaced and removed; what is refused, or was not finished, changes nothing', async () => {
  const path = join(folder, 'changed')
  const measuring = { metric: chord, compute }
  await createItems(path, of(chord), parts(entriesOf(names('a', 20))), { store, ...measuring })
  expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([])
  const more = entriesOf(names('b', 9)).map((each) => ({ ...each, metadata: { year: 2020, number: 1 } }))
  await addItems(path, parts(more), measuring)
  expect(await all(path)).toEqual([...names('a', 20), ...names('b', 9)].sort())
  await expect(addItems(path, parts(entriesOf(['new', 'a3', 'b1'])), measuring)).rejects.toThrow(
    '2 items are in the index already: a3, b1. Leave them out, or replace those that are there with --replace.',
  )
  await expect(createItems(path, of(chord), parts(entriesOf(['x'])), { store, ...measuring })).rejects.toThrow(/exists/)
  await expect(
    removeItems(
      path,
      () => true,
      () => {
        throw new Error('stopped')
      },
    ),
  ).rejects.toThrow('stopped')
  const kept = [...names('a', 20), ...names('b', 9)].sort()
  expect(await all(path)).toEqual(kept)

  // As a process that was killed before it replaced the head leaves it.
  const { items, db } = await openItems(path)
  await items.delete('id < 10')
  await items.add(
    toTable({ vectors: drawn(2), entries: entriesOf(['x', 'y']) }, DIMENSION, ['number', 'year'], 40) as never,
  )
  db.close()
  expect(await all(path)).toEqual(kept)
  expect(await removeItems(path, ({ item }) => item === 'a0' || item === 'b8')).toBe(2)
  expect(await all(path)).toEqual(kept.filter((item) => item !== 'a0' && item !== 'b8'))

  const again = drawn(1)
  await addItems(path, parts(entriesOf(['a1']), again), { replace: true, ...measuring })
  const index = await openItemsIn(path, chord, compute, silent)
  expect(index.size).toBe(27)
  const found = await index.nearest({ dtype: 'float32', shape: [1, DIMENSION], data: again }, { k: 1 })
  expect(found[0]![0]!.entry.item).toBe('a1')
  await index.release()
})

describe('an approximation', () => {
  test.each(['ivf-flat', 'ivf-pq', 'hnsw-sq'] as const)(
    '%s measures what it finds, and again when items are added',
    async (kind) => {
      const path = join(folder, kind)
      const approximate = { kind, partitions: 8, probes: 3 }
      const measuring = { metric: chord, compute }
      const built = await createItems(path, of(chord), parts(entriesOf(names('a', 700))), {
        store,
        approximate,
        ...measuring,
      })
      expect(built.approximate).toMatchObject({ ...approximate, recall: { at: 10, queries: 100 } })
      const { share } = built.approximate!.recall!
      expect(share).toBeGreaterThan(0.3)
      expect(share).toBeLessThanOrEqual(1)
      const added = await addItems(path, parts(entriesOf(names('b', 700))), measuring)
      expect(added.approximate!.recall!.share).toBeGreaterThan(0.3)
      const index = await openItemsIn(path, chord, compute, silent)
      const query = { dtype: 'float32', shape: [1, DIMENSION], data: drawn(1) } as const
      // Few meet it, wherever they lie.
      const [found] = await index.nearest(query, { k: 5, where: 'number IN (3, 4, 5)' })
      expect(found).toHaveLength(5)
      await index.release()
    },
  )

  test('finds less where it looks at less, and everything where it looks everywhere', async () => {
    const shares: number[] = []
    for (const probes of [1, 16]) {
      const about = await createItems(join(folder, `probes-${probes}`), of(chord), parts(entriesOf(names('a', 900))), {
        store,
        approximate: { kind: 'ivf-flat', partitions: 16, probes },
        metric: chord,
        compute,
      })
      shares.push(about.approximate!.recall!.share)
    }
    expect(shares[0]).toBeLessThan(0.9)
    expect(shares[1]).toBeGreaterThan(0.999)
  })

  test('of few items is refused', async () => {
    const options = { store, approximate: { kind: 'ivf-pq' }, metric: chord, compute } as const
    await expect(createItems(join(folder, 'few'), of(chord), parts(entriesOf(['a'])), options)).rejects.toThrow(
      /at least 256 items, found 1\. Leave --approximate out/,
    )
  })
})

test('a newer or damaged index is said, and so is a missing package', async () => {
  const path = join(folder, 'damaged')
  await createItems(path, of(chord), parts(entriesOf(['a'])), { store, metric: chord, compute })
  const { db, head } = await openItems(path)
  await writeLanceHead(db, path, { ...head, format: 2 as 1 })
  await expect(openItemsIn(path, chord, compute, silent)).rejects.toThrow(
    /format 2, newer than this program's 1\. Update isometry/,
  )
  await writeLanceHead(db, path, { ...head, version: -1 })
  await expect(openItemsIn(path, chord, compute, silent)).rejects.toThrow(/damaged: .* Make it again/)
  await writeLanceHead(db, path, head)
  db.close()
  await rm(join(path, 'items.lance'), { recursive: true })
  await expect(openItemsIn(path, chord, compute, silent)).rejects.toThrow(/cannot be used\. LanceDB says: .*items/)
  const missing = (code: string) => () => {
    throw Object.assign(new Error('Cannot find it\nthere'), { code })
  }
  expect(() => loadPackages(missing('MODULE_NOT_FOUND'))).toThrow(
    /@lancedb\/lancedb and apache-arrow, which are not installed\. Install them: npm install .*with npx: npx -p isometry/,
  )
  expect(() => loadPackages(missing('OTHER'))).toThrow(/which cannot be loaded \(Cannot find it\)/)
})
