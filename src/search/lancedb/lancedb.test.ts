import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { metricsByName } from '../../metrics/by-name.ts'
import type { Metric } from '../../metrics/metric.ts'
import { random } from '../../random.ts'
import { meets, parseCondition } from '../condition.ts'
import { nearest } from '../index.ts'
import { backendOf, type MetadataColumn } from '../store/backend.ts'
import { columnOf, type Entry } from '../store/entry.ts'
import type { Items } from '../store/part.ts'
import { lancedb } from './backend.ts'
import { loadLance } from './package.ts'

const [DIMENSION, ROWS] = [8, 600]
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isometry-lance-'))
})
afterAll(() => rm(folder, { recursive: true }))

const { uniform } = random(0, 'lance')
const drawn = (rows: number) => Float32Array.from({ length: rows * DIMENSION }, () => uniform(-1, 1))
const columns: MetadataColumn[] = [
  { name: 'number', type: 'number' },
  { name: "odd 'name", type: 'text' },
  { name: 'seen', type: 'boolean' },
]
const entries: Entry[] = Array.from({ length: ROWS }, (_, i) => ({
  item: `it'em ${i}`,
  label: i % 2 === 0 ? 'even' : null,
  metadata: {
    number: i % 7 === 0 ? null : i,
    "odd 'name": i % 5 === 0 ? null : ['a', "b'c", '12', 'x%y_'][i % 4]!,
    seen: i % 3 === 0 ? null : i % 3 === 1,
  },
}))
const vectors = drawn(ROWS)
async function* items(from = 0, to = ROWS, data = vectors, all = entries): AsyncGenerator<Items> {
  for (let i = from; i < to; i += 250) {
    const end = Math.min(i + 250, to)
    yield { vectors: data.subarray(i * DIMENSION, end * DIMENSION), entries: all.slice(i, end) }
  }
}
const cosine = metricsByName.get('cosine')!
const of = (metric: Metric) => ({ model: 'a model', metric: metric.name, dimension: DIMENSION })
const filling = (metric: Metric) => ({ metric, compute: { threads: 1 }, columns })
const queries = { dtype: 'float32', shape: [3, DIMENSION], data: drawn(3) } as const
const open = (path: string, metric = cosine, warn = (_: string) => {}) =>
  lancedb.open(path, metric, { threads: 1 }, warn)

test.each([...metricsByName.values()])(
  'finds what exact search finds, in its order and unit: $name',
  async (metric) => {
    const path = join(folder, metric.name)
    await lancedb.create(path, of(metric), items(), filling(metric))
    expect(await backendOf(path)).toBe(lancedb)
    const warnings: string[] = []
    const index = await open(path, metric, (message) => warnings.push(message))
    expect(warnings).toEqual(
      metric.search ? [] : [`no index can order as the metric ${metric.name} does: all vectors are compared`],
    )
    const gallery = { dtype: 'float32', shape: [ROWS, DIMENSION], data: vectors } as const
    const expected = await nearest(queries, gallery, metric, { k: ROWS, threads: 1 })
    const found = await index.nearest(queries, { k: 10 })
    const even = await index.nearest(queries, { k: 10, where: "label = 'even' AND number < 400" })
    for (const query of [0, 1, 2]) {
      const order = Array.from({ length: ROWS }, (_, i) => ({
        item: expected.indices[query * ROWS + i]!,
        distance: expected.distances[query * ROWS + i]!,
      }))
      expect(found[query]!.map(({ entry }) => entry)).toEqual(order.slice(0, 10).map(({ item }) => entries[item]))
      const meeting = order.filter(({ item }) => item % 2 === 0 && item < 400 && item % 7 !== 0).slice(0, 10)
      expect(even[query]!.map(({ entry }) => entry.item)).toEqual(meeting.map(({ item }) => entries[item]!.item))
      for (const [i, { distance, vector, entry, row }] of found[query]!.entries()) {
        expect(distance).toBeCloseTo(order[i]!.distance, 5)
        expect(vector).toEqual(vectors.slice(order[i]!.item * DIMENSION, (order[i]!.item + 1) * DIMENSION))
        expect(await index.entry(row)).toEqual(entry)
      }
    }
    expect(await index.nearest(queries, { k: 3, where: 'number < 0' })).toEqual([[], [], []])
    await index.release()
  },
)

test('a condition means in its SQL what it means to us', async () => {
  const path = join(folder, 'conditions')
  await lancedb.create(path, of(cosine), items(), filling(cosine))
  const index = await open(path)
  const all = [...columns.map(({ name }) => name), 'item', 'label', 'path']
  const value = fc.constantFrom('0', '12', '300.5', "'a'", "'12'", "'x%'", "'%e%'", 'true')
  const name = fc.constantFrom('number', `"odd 'name"`, 'seen', 'label', 'item', 'path')
  const comparison = fc.oneof(
    fc.tuple(name, fc.constantFrom('=', '<>', '<', '>=', 'LIKE'), value).map((each) => each.join(' ')),
    fc.tuple(name, fc.constantFrom('IN', 'NOT IN'), value, value).map(([a, word, b, c]) => `${a} ${word} (${b}, ${c})`),
    name.map((each) => `${each} IS NULL`),
  )
  const conditions = fc.oneof(
    comparison,
    fc.tuple(comparison, fc.constantFrom('AND', 'OR'), comparison).map((each) => each.join(' ')),
    comparison.map((each) => `NOT (${each})`),
  )
  await fc.assert(
    fc.asyncProperty(conditions, async (text) => {
      const condition = parseCondition(text, all)
      const expected = entries.filter((entry) => meets(condition, columnOf(entry))).map(({ item }) => item)
      const [found] = await index.nearest(
        { ...queries, shape: [1, DIMENSION], data: queries.data.subarray(0, DIMENSION) },
        { k: ROWS, where: text },
      )
      expect(found!.map(({ entry }) => entry.item).sort()).toEqual(expected.sort())
    }),
    { numRuns: 60 },
  )
  await index.release()
})

test('grows, is replaced in parts, and shrinks; what is refused changes nothing', async () => {
  const path = join(folder, 'changed')
  await lancedb.create(path, of(cosine), items(0, 300), filling(cosine))
  const size = async () => {
    const index = await open(path)
    await index.release()
    return index.size
  }
  await expect(lancedb.create(path, of(cosine), items(), filling(cosine))).rejects.toThrow(
    /exists\. .*isometry index add/,
  )
  await lancedb.add(path, items(300, 400), filling(cosine))
  await expect(lancedb.add(path, items(399, 500), filling(cosine))).rejects.toThrow(
    "1 item is in the index already: it'em 399.",
  )
  await expect(
    lancedb.add(path, items(0, 2, vectors, [entries[500]!, entries[500]!]), filling(cosine)),
  ).rejects.toThrow(/given more than once/)
  expect(await size()).toBe(400)
  const again = drawn(ROWS)
  const more = [...columns, { name: 'new', type: 'text' } as const]
  const changed = entries.map((entry) => ({ ...entry, metadata: { ...entry.metadata, new: 'yes' } }))
  await lancedb.add(path, items(350, 450, again, changed), { ...filling(cosine), columns: more, replace: true })
  expect(await size()).toBe(450)
  const index = await open(path)
  const [found] = await index.nearest(
    { dtype: 'float32', shape: [1, DIMENSION], data: again.slice(360 * DIMENSION, 361 * DIMENSION) },
    { k: 500, where: "new = 'yes'" },
  )
  expect(found).toHaveLength(100)
  expect(found![0]).toMatchObject({
    entry: { item: "it'em 360" },
    vector: again.slice(360 * DIMENSION, 361 * DIMENSION),
  })
  await index.release()
  await expect(lancedb.remove(path, { items: ["it'em 3", 'none'], places: ['/x', '/y'] })).rejects.toThrow(
    '1 item is not in the index',
  )
  expect(await lancedb.remove(path, { items: ["it'em 3", "it'em 4"], places: ['/x', '/y'] })).toBe(2)
  expect(await lancedb.remove(path, { where: 'number < 100' })).toBe(
    entries.filter(
      ({ metadata }, i) => ![3, 4].includes(i) && typeof metadata!.number === 'number' && metadata!.number < 100,
    ).length,
  )
  await expect(lancedb.remove(path, { where: 'colour = 1' })).rejects.toThrow(/no column colour/)
})

test('an approximate index says what it finds of the ten nearest', async () => {
  const path = join(folder, 'approximate')
  const many = drawn(3000)
  const all = Array.from({ length: 3000 }, (_, i): Entry => ({ item: `i${i}`, label: null }))
  const options = { metric: cosine, compute: { threads: 1 }, columns: [], approximate: true }
  const recall = await lancedb.create(path, of(cosine), items(0, 2000, many, all), options)
  expect(recall!.recallAt10).toBeGreaterThan(0.5)
  expect(recall!.recallAt10).toBeLessThanOrEqual(1)
  expect(recall!.queries).toBe(100)
  const after = await lancedb.add(path, items(2000, 3000, many, all), options)
  expect(after!.recallAt10).toBeGreaterThan(0.5)
  const index = await open(path)
  const gallery = { dtype: 'float32', shape: [3000, DIMENSION], data: many } as const
  const expected = await nearest(queries, gallery, cosine, { k: 1, threads: 1 })
  expect((await index.nearest(queries, { k: 1 }))[0]![0]!.entry.item).toBe(`i${expected.indices[0]}`)
  await index.release()

  const few = join(folder, 'few')
  await expect(lancedb.create(few, of(cosine), items(), { ...options, columns })).rejects.toThrow(
    /600 items are too few .* needs 1000/,
  )
  const manhattan = metricsByName.get('manhattan')!
  await expect(
    lancedb.create(few, of(manhattan), items(0, 2000, many, all), { ...options, metric: manhattan }),
  ).rejects.toThrow(/No index can order as the metric manhattan/)
  expect((await readdir(folder)).includes('few')).toBe(false)
})

test('what is not there, not ours, or cannot be loaded is said', async () => {
  await expect(open(join(folder, 'none'))).rejects.toThrow(/There is no index at .*none\. Make one: .*--store lancedb/)
  const other = join(folder, 'other')
  await lancedb.create(other, of(cosine), items(0, 10), filling(cosine))
  await writeFile(join(other, 'writer'), String(process.ppid))
  await expect(lancedb.remove(other, { where: 'number = 1' })).rejects.toThrow(/being written to by process/)
  await rm(join(other, 'about.lance'), { recursive: true })
  await expect(open(other)).rejects.toThrow(/There is no index at/)
  const missing = Object.assign(new Error('x'), { code: 'ERR_MODULE_NOT_FOUND' })
  await expect(loadLance(() => Promise.reject(missing))).rejects.toThrow(
    /npm install @lancedb\/lancedb@0\.31 apache-arrow@18 \(with npx: npx -p isometry/,
  )
  await expect(loadLance(() => Promise.reject(new Error('no such symbol')))).rejects.toThrow(
    /cannot be loaded: no such symbol/,
  )
})
