import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { metricsByName } from '../../metrics/by-name.ts'
import { random } from '../../random.ts'
import { nearest } from '../index.ts'
import type { Entry } from './entry.ts'
import { openExact } from './exact.ts'
import type { Items } from './part.ts'
import { addToStore, createStore, openStore, removeFromStore } from './store.ts'

const DIMENSION = 8
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isometry-store-'))
})
afterAll(() => rm(folder, { recursive: true }))

const { uniform } = random(0, 'store')
const drawn = (rows: number) => Float32Array.from({ length: rows * DIMENSION }, () => uniform(-1, 1))
const entriesOf = (names: readonly string[]): Entry[] =>
  names.map((item, i) => ({
    item,
    label: i % 2 === 0 ? 'even' : null,
    metadata: { number: i, name: `na\u2028me ${i}` },
  }))

/** Some at a time. */
async function* items(names: readonly string[], vectors = drawn(names.length), atOnce = 7): AsyncGenerator<Items> {
  const entries = entriesOf(names)
  for (let i = 0; i < names.length; i += atOnce) {
    yield { vectors: vectors.subarray(i * DIMENSION, (i + atOnce) * DIMENSION), entries: entries.slice(i, i + atOnce) }
  }
}
const of = { model: 'a model', metric: 'cosine', dimension: DIMENSION }
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
const all = async (path: string) => {
  const store = await openStore(path)
  const entries: string[] = []
  for await (const { item } of store.entries()) entries.push(item)
  return entries
}

test('items come back as they were, through additions, replacements and removals', async () => {
  const path = join(folder, 'kept')
  const vectors = drawn(20)
  await createStore(path, of, items(names('a', 20), vectors))
  await addToStore(path, items(names('b', 9)))
  const store = await openStore(path)
  expect(store.size).toBe(29)
  expect((await store.vectors()).data.subarray(0, 20 * DIMENSION)).toEqual(vectors)
  expect(await store.entry(28)).toEqual(entriesOf(names('b', 9))[8])
  expect(await store.entry(3)).toEqual(entriesOf(names('a', 20))[3])
  await store.close()
  expect(store.head.columns).toEqual(['number', 'name'])

  expect(await removeFromStore(path, ({ item }) => ['a0', 'a7', 'a19', 'b3'].includes(item))).toBe(4)
  const left = [...names('a', 20), ...names('b', 9)].filter((item) => !['a0', 'a7', 'a19', 'b3'].includes(item))
  expect(await all(path)).toEqual(left)
  const after = await openStore(path)
  expect((await after.vectors()).data.subarray(0, DIMENSION)).toEqual(vectors.subarray(DIMENSION, 2 * DIMENSION))

  const again = drawn(2)
  await addToStore(path, items(['a1', 'new'], again), { replace: true })
  expect((await all(path)).sort()).toEqual([...left, 'new'].sort())
  const replaced = await openStore(path)
  const { data } = await replaced.vectors()
  expect(data.subarray(data.length - 2 * DIMENSION)).toEqual(again)
  // What is not named any more is gone.
  expect((await readdir(path)).length).toBe(1 + 2 * replaced.head.parts.length)
})

test('an item that is there already, or twice in what is given, changes nothing', async () => {
  const path = join(folder, 'unique')
  await createStore(path, of, items(names('a', 5)))
  const before = await readdir(path)
  await expect(addToStore(path, items(['new', 'a3', 'a4', 'a0', 'a1']))).rejects.toThrow(
    '4 items are in the index already: a3, a4, a0, …. Leave them out, or replace those that are there with --replace.',
  )
  await expect(addToStore(path, items(['new', 'new']))).rejects.toThrow('1 item is given more than once: new.')
  expect(await readdir(path)).toEqual(before)
  await expect(createStore(path, of, items(['x']))).rejects.toThrow(/exists\. Name another folder, or add to the index/)
  await expect(createStore(join(folder, 'twice'), of, items(['x', 'x']))).rejects.toThrow(/given more than once/)
  expect((await readdir(folder)).filter((name) => name.includes('twice'))).toEqual([])
})

test('one writer at a time; the lock of a process that has ended is taken over', async () => {
  const path = join(folder, 'locked')
  await createStore(path, of, items(names('a', 5)))
  await writeFile(join(path, 'writer'), String(process.ppid))
  await expect(addToStore(path, items(['b']))).rejects.toThrow(`is being written to by process ${process.ppid}. Wait`)
  await writeFile(join(path, 'writer'), String(2 ** 22 + 1))
  await writeFile(join(path, 'part-7.f32'), 'left behind')
  await addToStore(path, items(['b']))
  expect((await readdir(path)).sort()).toEqual([
    'index.json',
    'part-1.f32',
    'part-1.jsonl',
    'part-2.f32',
    'part-2.jsonl',
  ])
})

test.each<[string, (path: string) => Promise<unknown>, RegExp]>([
  [
    'no index',
    (path) => rm(path, { recursive: true }),
    /There is no index at .*kept. Make one: isometry index MODEL DATA --out/,
  ],
  ['another folder', (path) => rm(join(path, 'index.json')), /is not an index: it has no readable index\.json/],
  ['a head that is no JSON', (path) => writeFile(join(path, 'index.json'), '{'), /is damaged: index\.json/],
  [
    'a head without fields',
    (path) => writeFile(join(path, 'index.json'), '{"format":1}'),
    /fields are missing or of another kind/,
  ],
  [
    'a part that leads elsewhere',
    (path) =>
      writeFile(
        join(path, 'index.json'),
        JSON.stringify({
          format: 1,
          model: '',
          metric: '',
          dimension: 1,
          columns: [],
          next: 1,
          parts: [{ name: '../x', rows: 1 }],
        }),
      ),
    /is damaged/,
  ],
  [
    'a newer format',
    (path) => writeFile(join(path, 'index.json'), '{"format":2}'),
    /format 2, newer than this program's 1\. Update isometry/,
  ],
  ['no vectors', (path) => rm(join(path, 'part-1.f32')), /part-1\.f32: it is missing\. Make it again/],
  ['fewer vectors', (path) => truncate(join(path, 'part-1.f32'), 100), /it has 100 bytes; expected 640 for 20 vectors/],
  ['no entries', (path) => rm(join(path, 'part-1.jsonl')), /part-1\.jsonl: it is missing/],
  [
    'more entries',
    (path) => appendFile(join(path, 'part-1.jsonl'), '{"item":"x","label":null}\n'),
    /it has 21 lines; expected 20/,
  ],
  ['an entry cut off', (path) => appendFile(join(path, 'part-1.jsonl'), '{"it'), /its last line has no end/],
  [
    'an entry that is none',
    async (path) =>
      writeFile(
        join(path, 'part-1.jsonl'),
        (await readFile(join(path, 'part-1.jsonl'), 'utf8')).replace('"item"', '"else"'),
      ),
    /part-1\.jsonl:1: it is not an item/,
  ],
])('%s is said', async (_, damage, message) => {
  const path = join(folder, 'damaged', 'kept')
  await createStore(path, of, items(names('a', 20)))
  await damage(path)
  const look = async () => {
    const index = await openExact(path, metricsByName.get('cosine')!, { threads: 1 })
    await index
      .nearest({ dtype: 'float32', shape: [1, DIMENSION], data: drawn(1) }, { k: 20 })
      .finally(() => index.release())
  }
  await expect(look()).rejects.toThrow(message)
  await rm(path, { recursive: true, force: true })
})

test.each([...metricsByName.values()])(
  'finds what exact search finds, in its order and unit: $name',
  async (metric) => {
    const path = join(folder, metric.name)
    const vectors = drawn(600)
    await createStore(path, { ...of, metric: metric.name }, items(names('a', 600), vectors, 100))
    const index = await openExact(path, metric, { threads: 1 })
    const queries = { dtype: 'float32', shape: [3, DIMENSION], data: drawn(3) } as const
    const gallery = { dtype: 'float32', shape: [600, DIMENSION], data: vectors } as const
    const expected = await nearest(queries, gallery, metric, { k: 600, threads: 1 })
    const found = await index.nearest(queries, { k: 10 })
    const even = await index.nearest(queries, { k: 10, where: "label = 'even' AND number < 400" })
    for (const query of [0, 1, 2]) {
      const order = Array.from({ length: 600 }, (_, i) => ({
        row: expected.indices[query * 600 + i]!,
        distance: expected.distances[query * 600 + i]!,
      }))
      expect(found[query]!.map(({ row }) => row)).toEqual(order.slice(0, 10).map(({ row }) => row))
      expect(found[query]!.map(({ entry }) => entry.item)).toEqual(order.slice(0, 10).map(({ row }) => `a${row}`))
      const meets = order.filter(({ row }) => row % 2 === 0 && row < 400).slice(0, 10)
      expect(even[query]!.map(({ row }) => row)).toEqual(meets.map(({ row }) => row))
      for (const [i, { distance }] of even[query]!.entries()) expect(distance).toBeCloseTo(meets[i]!.distance, 5)
    }
    expect((await index.nearest(queries, { k: 3, where: 'number < 0' }))[0]).toEqual([])
    expect(await index.nearest(queries, { k: 1000, where: 'number < 5' })).toMatchObject([{ length: 5 }, {}, {}])
    await index.release()
  },
)
