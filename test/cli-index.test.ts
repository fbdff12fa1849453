/** `isometry index`, `index add`, `index remove` and `search --index`. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectError, fixture } from './fixture.ts'
import { isometry } from './in-process.ts'

let { at, data, model, dispose } = {} as Awaited<ReturnType<typeof fixture>>
let adapter = ''
beforeAll(async () => {
  ;({ at, data, model, dispose } = await fixture())
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  // Half of them are of the year 2020; the second table goes on where the first ends.
  const rows = (from: number, to: number) =>
    `SELECT 'c' || (i % 8) AS label, [sin(i % 8), cos(i % 8), sin(i * i), cos(i * 7)]::FLOAT[] AS vector,
       'item ' || i AS item, 2020 + (i % 2) AS year, i % 3 = 0 AS seen FROM range(${from}, ${to}) t(i)`
  await connection.run(`COPY (${rows(0, 400)}) TO '${at('items.parquet')}'`)
  await connection.run(`COPY (${rows(400, 600)}) TO '${at('more.parquet')}'`)
  connection.closeSync()
  adapter = at('adapter')
  await run(
    'train',
    at('items.parquet'),
    '--encoder',
    'linear',
    '--residual',
    '--steps',
    '3',
    '--out',
    adapter,
    '--threads',
    '1',
  )
})
afterAll(() => dispose())

async function run(...args: string[]) {
  const result = await isometry(args)
  expect(result.code, result.stderr).toBe(0)
  return result
}
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout)

test('an index of images finds what the folder itself gives, and not the query itself', async () => {
  const index = at('images.index')
  expect(await json('index', model, data, '--out', index)).toEqual({ index, items: 48, metric: 'cosine', dimension: 8 })
  const query = join(data, 'c', '1.png')
  const [kept] = await json('search', model, query, '--index', index, '-k', '4')
  const [direct] = await json('search', model, query, '--gallery', data, '-k', '4')
  expect(kept.query).toBe(query)
  expect(kept.matches.map(({ item }: { item: string }) => item)).toEqual(
    direct.matches.map(({ item }: { item: string }) => item),
  )
  for (const [i, { distance, label, path }] of kept.matches.entries()) {
    expect(distance).toBeCloseTo(direct.matches[i].distance, 6)
    expect(label).toBe(direct.matches[i].label)
    expect((await stat(path)).isFile()).toBe(true)
  }
  const readable = await run('search', model, query, '--index', index, '-k', '1', '--where', "label = 'c'")
  expect(readable.stdout).toMatch(/1\.png\n {2}0\.\d{4} {2}.*\/c\/\d\.png {2}\(c\)\n$/)
  expect((await run('search', model, query, '--index', index, '--where', "label = 'none'")).stdout).toMatch(
    /\n {2}nothing\n$/,
  )
})

test('an index of a table keeps its columns, grows and shrinks', async () => {
  const index = at('items.index')
  expect(await json('index', adapter, at('items.parquet'), '--out', index)).toMatchObject({ items: 400 })
  expect(await json('index', 'add', index, adapter, at('more.parquet'))).toEqual({ index, added: 200 })
  const asked = [
    'search',
    adapter,
    '--query',
    `SELECT * FROM '${at('items.parquet')}' WHERE item = 'item 7'`,
    '--index',
    index,
  ]
  const [found] = await json(...asked, '-k', '3', '--where', 'year = 2020 AND NOT seen = true')
  expect(found.query).toBe('item 7')
  expect(found.matches).toHaveLength(3)
  for (const { metadata } of found.matches) expect(metadata).toEqual({ year: 2020, seen: false })
  const readable = await run(...asked, '-k', '1')
  expect(readable.stdout).toMatch(/item 7\n {2}\d\.\d{4} {2}item \d+ {2}\(c7, year 202\d, seen (true|false)\)\n/)

  expectError(
    await isometry(['index', 'add', index, adapter, at('more.parquet')]),
    1,
    /200 items are in the index already: item 400, item 401, item 402, …\. .*--replace/,
  )
  expect(await json('index', 'add', index, adapter, at('more.parquet'), '--replace')).toEqual({ index, added: 200 })
  expect(await json('index', 'remove', index, 'item 3', 'item 599')).toEqual({ index, removed: 2 })
  expect(await json('index', 'remove', index, '--where', 'year = 2021')).toEqual({ index, removed: 298 })
  const [after] = await json(...asked, '-k', '600')
  expect(after.matches).toHaveLength(300)
  expect((await run('index', 'remove', index, 'item 0')).stdout).toBe(`1 item removed from ${index}\n`)
})

test('adapted queries search an index that was filled before they were', async () => {
  const args = [
    'train',
    at('items.parquet'),
    '--encoder',
    'linear',
    '--residual',
    '--adapt',
    'queries',
    '--threads',
    '1',
  ]
  await run(...args, '--steps', '2', '--out', at('adapted'))
  await run(...args, '--steps', '4', '--out', at('adapted-anew'))
  await run('index', at('adapted'), at('items.parquet'), '--out', at('raw.index'))
  const [found] = await json(
    'search',
    at('adapted-anew'),
    '--query',
    `SELECT * FROM '${at('more.parquet')}' LIMIT 1`,
    '--index',
    at('raw.index'),
  )
  expect(found.matches).toHaveLength(5)
})

describe('what cannot be done is said', () => {
  test.each<[string, () => string[], number, RegExp]>([
    [
      'no such index',
      () => ['search', model, data, '--index', at('none')],
      1,
      /There is no index at .*none\. Make one: isometry index MODEL DATA --out .*none/,
    ],
    ['no index', () => ['search', model, data, '--index', data], 1, /is not an index: it has no readable index\.json/],
    [
      'an index that is there',
      () => ['index', model, data, '--out', at('images.index')],
      1,
      /images\.index exists\. .*isometry index add .*images\.index MODEL DATA/,
    ],
    [
      'another model',
      () => ['search', model, data, '--index', at('items.index')],
      1,
      /items\.index was filled by another model: .* index the data again: isometry index MODEL DATA/,
    ],
    [
      'adding with another model',
      () => ['index', 'add', at('items.index'), model, data],
      1,
      /was filled by another model/,
    ],
    [
      'nothing to search in',
      () => ['search', model, data],
      2,
      /either --gallery or --gallery-query or --index, found none of them/,
    ],
    [
      'two to search in',
      () => ['search', model, data, '--gallery', data, '--index', at('images.index')],
      2,
      /found two of them/,
    ],
    [
      '--where without --index',
      () => ['search', model, data, '--gallery', data, '--where', "label = 'a'"],
      2,
      /--where needs --index/,
    ],
    [
      'no column',
      () => ['search', model, data, '--index', at('images.index'), '--where', "year = 'a'"],
      2,
      /no column year\. There are item, label, path/,
    ],
    ['no condition', () => ['index', 'remove', at('images.index'), '--where', 'label'], 2, /cannot be read/],
    [
      'items and a condition',
      () => ['index', 'remove', at('images.index'), 'x', '--where', "label = 'a'"],
      2,
      /found both/,
    ],
    ['nothing to remove', () => ['index', 'remove', at('images.index')], 2, /found none/],
    [
      'no such item',
      () => ['index', 'remove', at('images.index'), join(data, 'a', '0.png'), 'x', 'y'],
      1,
      /2 items are not in the index .*: x, y\. Nothing was removed/,
    ],
    ['no folder to write', () => ['index', model, data], 2, /--out INDEX/],
    ['no data', () => ['index', model, '--out', at('new')], 2, /either DATA or --query/],
    [
      'a folder that cannot be written',
      () => ['index', model, data, '--out', join(data, 'a', '0.png', 'x')],
      1,
      /Cannot write .*x: /,
    ],
  ])('%s', async (_, args, code, message) => {
    expectError(await isometry(args()), code, message)
  })

  test('nothing was changed by what was refused', async () => {
    expect((await json('index', 'remove', at('images.index'), join(data, 'a', '0.png'))).removed).toBe(1)
    expect((await readdir(at('images.index'))).sort()).toEqual(['index.json', 'part-2.f32', 'part-2.jsonl'])
    expect((await readdir(at('.'))).filter((name) => name.includes('partial'))).toEqual([])
  })
})
