/** What is left of an index when a command that changes it is killed. */
import { spawn } from 'node:child_process'
import { cp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { random } from '../src/random.ts'
import { openStore } from '../src/search/store/store.ts'
import { executable } from './command.ts'
import { temporaryFolder } from './images.ts'
import { isometry } from './in-process.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
const MANY = 20_000

beforeAll(async () => {
  folder = await temporaryFolder()
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  // So many that writing takes a moment.
  for (const [name, from] of [
    ['many', 0],
    ['more', MANY],
  ] as const) {
    await connection.run(
      `COPY (SELECT 'c' || (i % 8) AS label, [sin(i % 8), cos(i % 8), sin(i * i), cos(i * 7)]::FLOAT[] AS vector,
         'item ' || i AS item, 2020 + (i % 2) AS year FROM range(${from}, ${from + MANY}) t(i)) TO '${at(`${name}.parquet`)}'`,
    )
  }
  connection.closeSync()
  const encoder = ['--encoder', 'linear', '--residual', '--steps', '2', '--threads', '1']
  await run('train', at('many.parquet'), '--out', at('model'), ...encoder, '--hold-out-classes', '0')
})
afterAll(() => folder.dispose())

async function run(...args: string[]): Promise<void> {
  const { code, stderr } = await isometry(args)
  expect(code, stderr).toBe(0)
}

/** Runs the command, and ends it with SIGKILL some milliseconds after a file was there, if it has not ended by then. */
async function killed(args: readonly string[], isThere: () => Promise<boolean>, delay: number): Promise<boolean> {
  const child = spawn(process.execPath, [executable, ...args], { stdio: 'ignore' })
  let isOver = false
  const ended = new Promise<boolean>((resolve) =>
    child.on('exit', (_, signal) => {
      isOver = true
      resolve(signal === 'SIGKILL')
    }),
  )
  while (!isOver && !(await isThere())) await setTimeout(1)
  await setTimeout(delay)
  child.kill('SIGKILL')
  return ended
}

const path = () => at('cut')
const files = async () => (await readdir(path()).catch(() => [])) as string[]

const begins = {
  create: async () => (await readdir(at('.'))).some((name) => name.startsWith('.cut.partial')),
  add: async () => (await files()).includes('part-2.f32'),
  remove: async () => (await files()).includes('writer'),
}
const isThere = async () => (await stat(path()).catch(() => undefined)) !== undefined
const ROUNDS = 8

/** How many items there are, vectors and entries alike. */
async function size(): Promise<number> {
  const store = await openStore(path())
  let entries = 0
  for await (const _ of store.entries()) entries++
  expect((await store.vectors()).shape).toEqual([entries, 4])
  return entries
}

test('killed at any moment, an index is as it was before or as it is after', async () => {
  const { integer } = random(3, 'kills')
  const base = at('base')
  const create = (out: string) => ['index', at('model'), at('many.parquet'), '--out', out]
  await run(...create(base))
  const reset = async (before: number) => {
    await rm(path(), { recursive: true, force: true })
    if (before > 0) await cp(base, path(), { recursive: true })
  }
  const operations = [
    { args: create(path()), before: 0, after: MANY, isBegun: begins.create },
    {
      args: ['index', 'add', path(), at('model'), at('more.parquet')],
      before: MANY,
      after: 2 * MANY,
      isBegun: begins.add,
    },
    {
      args: ['index', 'remove', path(), '--where', 'year = 2020'],
      before: MANY,
      after: MANY / 2,
      isBegun: begins.remove,
    },
  ]
  const counts = { killed: 0, before: 0 }
  for (const { args, before, after, isBegun } of operations) {
    for (let round = 0; round < ROUNDS; round++) {
      await reset(before)
      if (await killed(args, isBegun, integer(round % 2 === 0 ? 60 : 400))) counts.killed++
      const found = (await isThere()) ? await size() : 0
      expect([before, after]).toContain(found)
      if (found === before) counts.before++
    }
    // What was killed is in nobody's way.
    await reset(before)
    await killed(args, isBegun, 5)
    if (!(await isThere()) || (await size()) === before) await run(...args)
    expect(await size()).toBe(after)
    expect((await files()).filter((file) => file === 'writer' || file.includes('partial'))).toEqual([])
  }
  expect(counts.killed).toBeGreaterThan(ROUNDS)
  expect(counts.before).toBeGreaterThan(0)
})
