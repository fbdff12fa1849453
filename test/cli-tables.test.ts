/** Tables as DATA: the same everywhere. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isometry as asProcess } from './command.ts'
import { expectError } from './fixture.ts'
import { temporaryFolder, writeImages } from './images.ts'
import { isometry } from './in-process.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
const classes = ['a', 'b', 'c', 'd', 'e', 'f']
const quick = ['--image-size', '12', '--grayscale', '--steps', '12', '--dimension', '8', '--threads', '1']

beforeAll(async () => {
  folder = await temporaryFolder()
  await writeImages(at('data'), classes, 6)
  const rows = classes.flatMap((name, i) =>
    Array.from({ length: 6 }, (_, k) => {
      return `data/${name}/${k}.png,${name},camera ${k % 3},${i < 4 ? 'train' : 'test'},${k < 2 ? 'query' : 'gallery'}`
    }),
  )
  await writeFile(at('images.csv'), ['path,kind,group,split,role', ...rows].join('\n'))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT 'c' || (i % 8) AS label, [sin(i % 8), cos(i % 8), sin(i * i), cos(i * 7)]::FLOAT[] AS vector, i AS id
     FROM range(160) t(i)) TO '${at('vectors.parquet')}'`,
  )
  connection.closeSync()
})
afterAll(() => folder.dispose())

async function run(...args: string[]) {
  const result = await isometry(args)
  expect(result.code, result.stderr).toBe(0)
  return result
}

test('a table of images is trained on by its split, evaluated by roles and groups, searched and embedded', async () => {
  const columns = ['--label-column', 'kind']
  const trained = await run('train', at('images.csv'), '--out', at('model'), ...quick, ...columns, '--json')
  expect(trained.stderr).toMatch(/training on 24 images of 4 classes; evaluating on 12 images of 2 classes/)
  // Queries are 0.png and 1.png, of cameras 0 and 1; of the gallery, one of four is of the query's own camera.
  const { validation } = JSON.parse(trained.stdout)
  expect(validation.after).toMatchObject({ items: 4, queries: 4 })

  const evaluated = JSON.parse((await run('evaluate', at('model'), at('images.csv'), ...columns, '--json')).stdout)
  expect(evaluated).toMatchObject({ items: 12, queries: 12 })
  const [found] = JSON.parse(
    (await run('search', at('model'), at('data', 'a', '0.png'), '--gallery', at('images.csv'), ...columns, '--json'))
      .stdout,
  )
  expect(found.matches).toHaveLength(5)
  expect(found.matches[0]).toMatchObject({
    label: expect.any(String),
    item: expect.stringMatching(/data\/\w\/\d\.png$/),
  })
  await run('embed', at('model'), at('images.csv'), ...columns, '--out', at('embedded.safetensors'))
})

test('a table of vectors, a query over it, and the same again from the settings that a model keeps', async () => {
  const adapter = ['--encoder', 'linear', '--residual', '--steps', '20', '--threads', '1']
  const { stdout } = await run('train', at('vectors.parquet'), '--out', at('adapter'), ...adapter, '--json')
  expect(JSON.parse(stdout).validation.before.items).toBe(40)
  await run('evaluate', at('adapter'), at('vectors.parquet'))
  await run('search', at('adapter'), at('vectors.parquet'), '--gallery', at('vectors.parquet'), '-k', '2')
  await run('evaluate', at('adapter'), '--query', `SELECT * FROM '${at('vectors.parquet')}' WHERE id < 80`)

  // Paths in a query are relative to where the command runs, and in a file to the file: what a model keeps holds anywhere.
  const query = "SELECT vector, label FROM 'vectors.parquet' ORDER BY id"
  const queried = ['train', '--query', query, '--out', at('queried'), ...adapter]
  const there = await asProcess(queried, undefined, folder.path)
  expect(there.code, there.stderr).toBe(0)
  await run('train', '--config', at('queried', 'config.json'), '--out', at('again'))
  const settings = { query, out: 'told', encoder: 'linear', residual: true, steps: 20, threads: 1 }
  await writeFile(at('query.json'), JSON.stringify(settings))
  await run('train', '--config', at('query.json'))
  const encoder = await readFile(at('queried', 'encoder.onnx'))
  for (const model of ['again', 'told']) expect(await readFile(at(model, 'encoder.onnx'))).toEqual(encoder)
  const kept = JSON.parse(await readFile(at('told', 'config.json'), 'utf8'))
  expect(kept).toMatchObject({ query, queryFolder: folder.path })
  expectError(await isometry(queried.with(4, at('lost'))), 1, /DuckDB cannot read it: .*vectors\.parquet/)
})

test('a query in place of every DATA: what is asked, the gallery, and what is calibrated on or embedded', async () => {
  const some = (condition: string) => `SELECT * FROM '${at('vectors.parquet')}' WHERE ${condition}`
  const gallery = ['--gallery-query', some('id < 80')]
  const found = await run('search', at('adapter'), '--query', some('id >= 150'), ...gallery, '-k', '2', '--json')
  const results = JSON.parse(found.stdout) as { query: string; matches: { item: string }[] }[]
  expect(results.map(({ query }) => query)).toEqual(Array.from({ length: 10 }, (_, i) => `${150 + i}`))
  expect(results.every(({ matches }) => matches.length === 2 && matches.every(({ item }) => Number(item) < 80))).toBe(
    true,
  )
  // One of the ten is of the only class in the gallery.
  const alone = ['--gallery-query', some("label = 'c0'"), '--json']
  const evaluated = await run('evaluate', at('adapter'), '--query', some('id >= 150'), ...alone)
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ items: 10, queries: 1 })
  await run('embed', at('adapter'), '--query', some('id < 3'), '--out', at('three.jsonl'))
  const lines = (await readFile(at('three.jsonl'), 'utf8')).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).item)).toEqual(['0', '1', '2'])
  const rate = ['--false-positive-rate', '0.1', '--json']
  const calibrated = await run('calibrate', at('adapter'), '--query', some('id < 16'), ...rate)
  expect(JSON.parse(calibrated.stdout).pairs).toEqual({ same: 8, different: 112 })
  await run('report', at('adapter'), '--query', some('id < 40'))

  for (const [args, message] of [
    [['search', 'x', '--query', 'SELECT 1', '--gallery', 'g'], /Name either QUERY or --query, found both/],
    [['search', '--gallery', 'g'], /Name either QUERY or --query, found none/],
    [['search', 'x'], /Name either --gallery or --gallery-query or --index, found none/],
    [['search', 'x', '--gallery', 'g', '--gallery-query', 'SELECT 1'], /--gallery or --gallery-query, found both/],
    [['evaluate', 'x', '--gallery', 'g', '--gallery-query', 'SELECT 1'], /--gallery or --gallery-query, found both/],
    [['calibrate', ...rate], /Name either DATA or --query, found none/],
    [['embed', '--out', 'x.jsonl'], /Name either PATH or --query, found none/],
    [['report', 'x', '--query', 'SELECT 1'], /Name either DATA or --query, found both/],
  ] as const) {
    expectError(await isometry([args[0], at('adapter'), ...args.slice(1)]), 2, message)
  }
})

test('groups are not compared with each other, by whatever column says what they are', async () => {
  // Of each class two items lie together, of one camera, and one far away, of another.
  const rows = ['a', 'b', 'c', 'd'].flatMap((label, i) =>
    [0, 0.01, 0.9].map((turn, k) => {
      const angle = 1.5 * i + turn
      return [label, Math.cos(angle), Math.sin(angle), 0, 0, `camera ${k < 2 ? 1 : 2}`].join(',')
    }),
  )
  await writeFile(at('cameras.csv'), ['label,x1,x2,x3,x4,taken', ...rows].join('\n'))
  await writeFile(at('camera.csv'), ['label,x1,x2,x3,x4,camera', ...rows].join('\n'))
  const vectors = ['--vector-columns', 'x1,x2,x3,x4', '--json']
  const figures = async (...args: string[]) => JSON.parse((await run('evaluate', at('adapter'), ...args)).stdout)
  const all = await figures(at('cameras.csv'), ...vectors)
  const grouped = await figures(at('cameras.csv'), ...vectors, '--group-column', 'taken')
  expect(all.precisionAt1).toBeGreaterThanOrEqual(8 / 12)
  expect(grouped.precisionAt1).toBeLessThan(8 / 12)
  expect(await figures(at('camera.csv'), ...vectors)).toEqual(grouped)
  // Of one camera there are eight, four of the other: 32 pairs of both, of which two of each class are of it.
  const calibrate = ['calibrate', at('adapter'), at('cameras.csv'), '--false-positive-rate', '0.2', ...vectors]
  expect(JSON.parse((await run(...calibrate)).stdout).pairs).toEqual({ same: 12, different: 54 })
  const apart = await run(...calibrate, '--group-column', 'taken')
  expect(JSON.parse(apart.stdout).pairs).toEqual({ same: 8, different: 24 })
})

test('tuples, and what they say of the model before and after', async () => {
  const lines = Array.from({ length: 60 }, (_, i) => {
    const vector = (angle: number) => [Math.cos(angle), Math.sin(angle), Math.sin(i * i)]
    return JSON.stringify({ anchor: vector(i), positive: vector(i + 0.1), negative: vector(i + 2) })
  })
  await writeFile(at('tuples.jsonl'), lines.join('\n'))
  const args = ['--loss', 'triplet', '--encoder', 'linear', '--residual', '--steps', '10']
  const { stdout, stderr } = await run('train', at('tuples.jsonl'), '--out', at('tupled'), ...args)
  expect(stderr).toMatch(/training on 48 tuples of vectors; evaluating on 12 tuples of vectors/)
  expect(stdout).toMatch(/untrained +trained\nin order +[\d.]+ % +[\d.]+ %/)
  expectError(
    await isometry(['search', at('tupled'), at('tuples.jsonl'), '--gallery', at('tuples.jsonl')]),
    2,
    /holds tuples/,
  )
})

test('rows that are trained on and held out are warned about, with their count', async () => {
  const row = (label: string, x: number, split: string) => `${label},${x},${2 * x},${split}`
  const rows = ['a', 'b', 'c'].flatMap((label, i) => [row(label, i, 'train'), row(label, i + 0.5, 'train')])
  const held = [row('d', 0, 'test'), row('d', 1, 'test'), row('e', 7, 'test'), row('e', 8, 'test')]
  await writeFile(at('shared.csv'), ['label,x1,x2,split', ...rows, ...held].join('\n'))
  const { stderr } = await run('train', at('shared.csv'), '--out', at('shared'), '--steps', '3')
  expect(stderr).toMatch(/warning: 2 of 4 held-out vectors are trained on, too: what is measured on them is too good/)
})

test('what is wrong is said in one line', async () => {
  await writeFile(at('half.csv'), 'label,x1\na,1\n,2\n')
  const train = (...args: string[]) => isometry(['train', ...args, '--out', at('never')])
  expectError(await train(at('half.csv')), 1, /1 rows of \S+ have no label: 2\./)
  expectError(await train(at('images.csv')), 2, /no column of labels .*--label-column/)
  expectError(
    await train(at('images.csv'), '--label-column', 'x'),
    2,
    /has no column x \(label\)\. It has path, kind, group/,
  )
  expectError(await train(at('gone.csv')), 1, /gone\.csv does not exist/)
  expectError(await train('--query', 'SELECT'), 1, /DuckDB cannot read it: /)
  expectError(await train(at('data'), '--query', 'SELECT 1'), 2, /--query takes the place of DATA/)
  expectError(await isometry(['evaluate', at('model')]), 2, /Name either DATA or --query, found none/)
  expectError(await isometry(['evaluate', at('model'), at('vectors.parquet')]), 2, /should hold images.* holds vectors/)
  expectError(
    await isometry(['embed', at('model'), at('images.csv'), at('data'), '--out', at('x.jsonl')]),
    2,
    /Name it alone/,
  )
})
