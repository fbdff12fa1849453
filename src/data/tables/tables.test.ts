/** Tables of every kind, written by DuckDB itself and read back; and what is wrong in them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DataError, UsageError } from '../../errors.ts'
import { itemsOf, type Source } from '../source.ts'
import type { Tuples } from '../tuples.ts'
import { openDatabase } from './duckdb.ts'
import { type OpenTableOptions, openTable, type Table } from './open-table.ts'

const input = { kind: 'image', channels: 1, height: 2, width: 2, resize: 'stretch' } as const
let folder: string
const at = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isometry-tables-'))
  for (let i = 0; i < 6; i++) {
    // Each has a gray of its own in its left half, and is white in the right one.
    const bytes = Uint8Array.from({ length: 8 * 4 }, (_, pixel) => (pixel % 8 < 4 ? 10 * i : 255))
    await sharp(bytes, { raw: { width: 8, height: 4, channels: 1 } })
      .png()
      .toFile(at(`${i}.png`))
  }
})
afterAll(() => rm(folder, { recursive: true }))

async function write(name: string, select: string): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`COPY (${select}) TO '${at(name)}' ${name.endsWith('.tsv') ? "(delimiter '\\t', header)" : ''}`)
  connection.closeSync()
  instance.closeSync()
  return at(name)
}
async function text(name: string, ...lines: string[]): Promise<string> {
  await writeFile(at(name), lines.join('\n'))
  return at(name)
}
async function vectorsOf(table: Table, options?: OpenTableOptions): Promise<Source> {
  const opened = await openTable(table, options)
  if (opened.kind !== 'vectors' || 'examples' in opened.examples) throw new Error('no vectors')
  return opened.examples
}
async function imagesOf(table: Table, options?: OpenTableOptions): Promise<Source | Tuples> {
  const opened = await openTable(table, options)
  if (opened.kind !== 'images') throw new Error('no images')
  return opened.open({ input, warn() {} })
}
const rowsOf = async (source: Source) =>
  Array.from((await source.read(Array.from({ length: source.length }, (_, row) => row))).data as Float32Array)

const select = `SELECT 'class ' || (i % 3) AS label, [i, i / 2, i - 9]::FLOAT[] AS vector, 'n' || i AS name, i % 2 AS camera,
  CASE WHEN i < 3 THEN 'test' ELSE 'train' END AS split, CASE WHEN i % 2 = 0 THEN 'query' ELSE 'gallery' END AS role
  FROM range(5000) t(i)`

describe('vectors', () => {
  test.each(['vectors.parquet', 'vectors.jsonl', 'vectors.json'])('of a list column: %s', async (name) => {
    const source = await vectorsOf(await write(name, select))
    expect(source.input).toEqual({ kind: 'vector', dimension: 3 })
    expect(source.length).toBe(5000)
    expect(await rowsOf(source)).toEqual(Array.from({ length: 5000 }, (_, i) => [i, i / 2, i - 9]).flat())
    expect(source.classes).toEqual(['class 0', 'class 1', 'class 2'])
    expect([...source.labels.subarray(2998, 3002)]).toEqual([1, 2, 0, 1])
    expect([...source.groups!.subarray(0, 3)]).toEqual([0, 1, 0])
    expect(source.groupNames).toEqual(['0', '1'])
    expect([...source.heldOut!.subarray(0, 5)]).toEqual([1, 1, 1, 0, 0])
    expect([...source.gallery!.subarray(0, 3)]).toEqual([0, 1, 0])
    expect(source.item(4999)).toBe('n4999')
  })

  test.each(['wide.csv', 'wide.tsv', 'wide.parquet'])('of many number columns: %s', async (name) => {
    const wide = "SELECT i % 2 AS class, i AS a1, i * 0.5 AS a2, 'x' AS note FROM range(9) t(i)"
    const source = await vectorsOf(await write(name, wide))
    expect(await rowsOf(source)).toEqual(Array.from({ length: 9 }, (_, i) => [i, i / 2]).flat())
    expect(source.classes).toEqual(['0', '1'])
    const one = await vectorsOf(at(name), { vectorColumns: ['a2'], labelColumn: 'note' })
    expect([one.input.kind === 'vector' && one.input.dimension, one.classes]).toEqual([1, ['x']])
  })

  test('of a query over tables, with columns that it makes', async () => {
    const table = await write('queried.parquet', select)
    const query = `SELECT vector, label || '!' AS kind FROM '${table}' WHERE label <> 'class 1' ORDER BY name LIMIT 7;`
    const source = await vectorsOf({ query }, { labelColumn: 'kind' })
    expect([source.length, source.classes]).toEqual([7, ['class 0!', 'class 2!']])
    await expect(openTable({ query: 'SELECT nothing FROM nowhere' })).rejects.toThrow(
      /^DuckDB cannot read it: Catalog Error: Table with name nowhere does not exist!$/,
    )
    await expect(openTable({ query: 'DROP everything' })).rejects.toThrow(DataError)
  })

  test('of a query whose paths are relative to a folder, whatever lies in the working directory', async () => {
    // There is such a file where the tests run, too.
    await writeFile(at('package.json'), '[{"label": "a", "x": 1}, {"label": "b", "x": 2}]')
    const inFolder = async (query: string) => rowsOf(await vectorsOf({ query, folder }))
    expect(await inFolder("SELECT label, x FROM 'package.json'")).toEqual([1, 2])
    expect(await inFolder('SELECT label, x FROM "package.json" AS p')).toEqual([1, 2])
    expect(await inFolder("FROM read_json(['package.json', './package.json']) WHERE label <> 'package.json'")).toEqual([
      ...[1, 2, 1, 2],
    ])
    const found = "WITH é AS (FROM 'package.json') SELECT 'é' AS label, é.x FROM é, glob('packag?.json') ORDER BY é.x"
    expect(await inFolder(found)).toEqual([1, 2])
    expect(await inFolder(`SELECT label, x FROM '${at('package.json')}'`)).toEqual([1, 2])
    await expect(inFolder('SELECT')).rejects.toThrow(/^DuckDB cannot read it: Parser Error/)
    await expect(inFolder("FROM 'none.csv'")).rejects.toThrow(/^DuckDB cannot read it: IO Error.*none\.csv/)
  })

  test('of different lengths, missing, or not finite are refused by their row', async () => {
    const refused = async (lines: string[], message: RegExp) => {
      await expect(openTable(await text('wrong.jsonl', ...lines))).rejects.toThrow(DataError)
      await expect(openTable(at('wrong.jsonl'))).rejects.toThrow(message)
    }
    const good = '{"label": "a", "vector": [1, 2]}'
    await refused(
      [good, good, '{"label": "a", "vector": [1, 2, 3]}'],
      /^Row 3 of \S+ has a vector of 3 numbers, .* 2\. /,
    )
    await refused([good, '{"label": "a", "vector": null}'], /^Row 2 of \S+ has no vector/)
    await refused(
      [good, '{"label": "a", "vector": [null, 1]}'],
      /^Row 2 of \S+ has a vector that holds NaN, or nothing/,
    )
    const table = await write('nan.parquet', "SELECT ['nan'::FLOAT, 1] AS vector")
    await expect(openTable(table)).rejects.toThrow(/^Row 1 of \S+ has a vector that holds NaN/)
    await expect(openTable(await write('empty.parquet', 'SELECT [1]::FLOAT[] AS vector WHERE false'))).rejects.toThrow(
      /empty\.parquet has no rows/,
    )
  })

  test('without labels, or without some of them, are refused where labels are needed', async () => {
    const unlabelled = await text('unlabelled.csv', 'x1,x2', '1,2', '3,4')
    expect((await vectorsOf(unlabelled)).classes).toEqual([])
    await expect(openTable(unlabelled, { labelled: true })).rejects.toThrow(
      /no column of labels \(label, class, category\)/,
    )
    const some = await text('some.csv', 'label,x1', 'a,1', ',2', ',3', 'b,4', ',5', ',6')
    await expect(openTable(some, { labelled: true })).rejects.toThrow(/^4 rows of \S+ have no label: 2, 3, 5, …\./)
    expect([...(await vectorsOf(some)).labels]).toEqual([0, -1, -1, 1, -1, -1])
  })
})

describe('images', () => {
  test('by their paths relative to the table, with classes, groups and boxes', async () => {
    const table = await text(
      'images.csv',
      'path,label,group,x,y,width,height',
      ...['0.png,a,left,0,0,4,4', '1.png,a,right,0,0,4,4', '2.png,b,left,4,0,4,4', `${at('3.png')},b,left,0,0,2,2`],
    )
    const source = (await imagesOf(table)) as Source
    const { data } = await source.read([0, 1, 2, 3])
    expect([...data]).toEqual([0, 10, 255, 30].flatMap((gray) => Array(4).fill(gray)))
    expect([source.classes, [...source.labels], [...source.groups!]]).toEqual([
      ['a', 'b'],
      [0, 0, 1, 1],
      [0, 1, 0, 0],
    ])
    expect(itemsOf(source)[0]).toBe(at('0.png'))
    const whole = (await imagesOf(await text('plain.csv', 'file,class', '5.png,a'))) as Source
    expect((await whole.read([0])).data).toSatisfy((data: Uint8Array) => data.some((level) => level > 200))
  })

  test('that are not there are counted, and boxes outside of them are refused', async () => {
    const gone = ['a', 'b', 'c', 'd'].map((name) => `${name}.png,x`)
    const table = await text('gone.csv', 'path,label', '0.png,x', ...gone)
    await expect(openTable(table)).rejects.toThrow(
      /^4 of 5 files that \S+ names are not there: \S+a\.png, \S+b\.png, \S+c\.png, …\. Paths are relative to the table/,
    )
    const boxed = (box: string) => text('boxed.csv', 'path,label,x,y,width,height', `0.png,a,${box}`)
    await expect(imagesOf(await boxed('5,0,4,4'))).rejects.toThrow(/not inside of the image, which has 8 x 4/)
    await expect(imagesOf(await boxed('0.5,0,4,4'))).rejects.toThrow(
      /^Row 1 of \S+ has the box 0\.5, 0, 4, 4; expected/,
    )
    await expect(openTable(await text('nopath.csv', 'path,label', '0.png,a', ',b'))).rejects.toThrow(
      /^Row 2 of .* no path/,
    )
  })
})

describe('tuples', () => {
  test('of paths: triplets, and pairs with a score; each image is held once', async () => {
    const triplets = await text('triplets.csv', 'anchor,positive,negative', '0.png,1.png,2.png', '1.png,0.png,3.png')
    const opened = (await imagesOf(triplets)) as Tuples
    expect([opened.kind, opened.length, opened.examples.length]).toEqual(['tuples', 2, 4])
    const name = (part: string) => Array.from(opened.members[part]!, (row) => opened.examples.item(row))
    expect(name('positive')).toEqual([at('1.png'), at('0.png')])
    const graded = (await imagesOf(await text('pairs.csv', 'a,b,score', '0.png,1.png,0.5', '2.png,3.png,1'))) as Tuples
    expect([graded.kind, [...graded.score!]]).toEqual(['graded', [0.5, 1]])
    const scored = (await imagesOf(await text('scored.csv', 'anchor,positive,score', '0.png,1.png,1'))) as Tuples
    expect(scored.kind).toBe('graded')
    const bad = await text('bad.csv', 'a,b,score', '0.png,1.png,much')
    await expect(openTable(bad)).rejects.toThrow(/^Row 1 of \S+ has the score much; expected a number/)
  })

  test('of vectors', async () => {
    const lines = [0, 1, 2].map((i) => JSON.stringify({ anchor: [i, 0], positive: [i, 1], negative: [0, i + 5] }))
    const opened = await openTable(await text('vectors-of.jsonl', ...lines))
    const { members, examples, kind } = (opened as { examples: Tuples }).examples
    expect(kind).toBe('tuples')
    expect([...(await examples.read(members.negative!)).data]).toEqual([0, 5, 0, 6, 0, 7])
    const uneven = await text('uneven.jsonl', '{"anchor": [1, 2], "positive": [1, 2, 3]}')
    await expect(openTable(uneven)).rejects.toThrow(/2 numbers in anchor and 3 in positive/)
  })
})

test('columns that are not there, or none that examples could be made of', async () => {
  const table = await text('columns.csv', 'when,what', 'now,that')
  await expect(openTable(table)).rejects.toThrow(UsageError)
  await expect(openTable(table)).rejects.toThrow(
    /has no column of paths \(path, file, .*\), vectors .* It has when, what\./,
  )
  await expect(openTable(table, { labelColumn: 'kind' })).rejects.toThrow(
    /no column kind \(label\)\. It has when, what/,
  )
  await expect(openTable(table, { boxColumns: ['when'] })).rejects.toThrow(/A box has four columns/)
  const split = await text('split.csv', 'label,x1,split', 'a,1,sometimes')
  await expect(openTable(split)).rejects.toThrow(
    /^Row 1 of \S+ has the split sometimes; expected one of train, training, validation/,
  )
  await expect(openTable(at('none.csv'))).rejects.toThrow(/none\.csv does not exist: expected a table/)
})

test('without DuckDB it is said how it is installed', async () => {
  const load = () => Promise.reject(Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' }))
  await expect(openDatabase(load)).rejects.toThrow(DataError)
  await expect(openDatabase(load)).rejects.toThrow(
    /not installed\. Install it: npm install @duckdb\/node-api \(with npx: npx -p isometry -p @duckdb\/node-api isometry …\)/,
  )
})
