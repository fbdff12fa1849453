/** Indexes in LanceDB by the command line, and what is left of one when its writer is killed. */
import { spawn } from 'node:child_process'
import { cp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { random } from '../src/random.ts'
import { openItems } from '../src/search/lance/head.ts'
import { expectError } from './fixture.ts'
import { temporaryFolder } from './images.ts'
import { isometry } from './in-process.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
const row = (i: number) => ({ item: `item ${i}`, label: `c${i % 8}`, year: 2020 + (i % 2), vector: vectorOf(i) })
const vectorOf = (i: number) => [Math.sin(i % 8), Math.cos(i % 8), Math.sin(i * i), Math.cos(i * 7)]
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => JSON.stringify(row(from + i))).join('\n')

beforeAll(async () => {
  folder = await temporaryFolder()
  await writeFile(at('items.jsonl'), lines(0, 400))
  await writeFile(at('more.jsonl'), lines(400, 600))
  await writeFile(at('query.jsonl'), lines(7, 8))
  const train = ['train', at('items.jsonl'), '--encoder', 'linear', '--residual', '--steps', '3', '--threads', '1']
  await run(...train, '--loss', 'triplet', '--margin', '0.2', '--metric', 'angular', '--out', at('model'))
  await run(...train, '--loss', 'triplet', '--margin', '0.2', '--metric', 'manhattan', '--out', at('manhattan'))
})
afterAll(() => folder.dispose())

async function run(...args: string[]) {
  const result = await isometry(args)
  expect(result.code, result.stderr).toBe(0)
  return result
}
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout)

test('an index in LanceDB finds what one in memory finds, grows and shrinks', async () => {
  const [exact, index] = [at('exact.index'), at('lance.index')]
  await run('index', at('model'), at('items.jsonl'), '--out', exact)
  expect(await json('index', at('model'), at('items.jsonl'), '--store', 'lancedb', '--out', index)).toEqual({
    index,
    items: 400,
    metric: 'angular',
    dimension: 4,
  })
  const search = (path: string) =>
    json('search', at('model'), at('query.jsonl'), '--index', path, '-k', '9', '--where', 'year = 2020')
  const same = async () => {
    const [[one], [other]] = [await search(index), await search(exact)]
    expect(one.matches.map(({ item }: { item: string }) => item)).toEqual(
      other.matches.map(({ item }: { item: string }) => item),
    )
    for (const [i, { distance, metadata }] of one.matches.entries()) {
      expect(distance).toBeCloseTo(other.matches[i].distance, 6)
      expect(metadata).toEqual({ year: 2020 })
    }
  }
  await same()
  for (const path of [exact, index]) {
    await run('index', 'add', path, at('model'), at('more.jsonl'))
    expect(await json('index', 'remove', path, '--where', "label = 'c0' OR item = 'item 1'")).toMatchObject({
      removed: 76,
    })
  }
  await same()
  const [self] = await json('search', at('model'), at('query.jsonl'), '--index', index, '-k', '600')
  expect(self.matches).toHaveLength(523)
})

test('an approximate index says what it finds, when it is built and when it has grown', async () => {
  const index = at('approximate.index')
  const args = ['--store', 'lancedb', '--approximate', 'ivf-pq', '--partitions', '4', '--probes', '2', '--out', index]
  expect((await run('index', at('model'), at('items.jsonl'), ...args)).stdout).toMatch(
    /^400 items in .*, metric angular, searched approximately\nrecall@10 [\d.]+ % of exact search, over 100 items: ivf-pq, 2 of 4 partitions\n/,
  )
  const grown = await json('index', 'add', index, at('model'), at('more.jsonl'))
  expect(grown).toMatchObject({ added: 200, approximate: { kind: 'ivf-pq', recall: { at: 10, queries: 100 } } })
})

describe('what cannot be done is said', () => {
  const index = (...args: string[]) => isometry(['index', at('model'), at('items.jsonl'), ...args])
  test.each<[string, () => ReturnType<typeof isometry>, number, RegExp]>([
    ['an approximation in memory', () => index('--approximate', 'ivf-pq', '--out', at('x')), 2, /Add --store lancedb/],
    ['probes of none', () => index('--store', 'lancedb', '--probes', '2', '--out', at('x')), 2, /are of --approximate/],
    ['an index that is there', () => index('--store', 'lancedb', '--out', at('lance.index')), 1, /lance\.index exists/],
    ['an address for all in memory', () => index('--store', 'exact', '--out', 's3://b/x'), 2, /is an address/],
    ['no such address', () => index('--out', 'nothing://b/x'), 1, /nothing:\/\/b\/x cannot be used\. LanceDB says: /],
    [
      'an approximation that orders otherwise',
      () =>
        isometry([
          ...['index', at('manhattan'), at('items.jsonl'), '--out', at('x')],
          ...['--store', 'lancedb', '--approximate', 'ivf-pq'],
        ]),
      2,
      /No index orders as the metric manhattan does/,
    ],
    [
      'another model',
      () => isometry(['search', at('manhattan'), at('query.jsonl'), '--index', at('lance.index')]),
      1,
      /was filled by another model, in the metric angular \(this model's is manhattan\).* index the data again/,
    ],
    [
      'no such item',
      () => isometry(['index', 'remove', at('lance.index'), 'x']),
      1,
      /1 item is not in the index .*: x\. Nothing was removed/,
    ],
    [
      'no column',
      () => isometry(['search', at('model'), at('query.jsonl'), '--index', at('lance.index'), '--where', 'a = 1']),
      2,
      /no column a\. There are item, label, path, year/,
    ],
  ])('%s', async (_, work, code, message) => expectError(await work(), code, message))

  test('a metric that no index orders is searched exactly, and it is said', async () => {
    await run('index', at('manhattan'), at('items.jsonl'), '--store', 'lancedb', '--out', at('manhattan.index'))
    const args = ['search', at('manhattan'), at('query.jsonl'), '--index', at('manhattan.index'), '-k', '3']
    const { stderr, stdout } = await run(...args)
    expect(stderr).toMatch(/^warning: no index orders as the metric manhattan does: every vector is looked at\n$/)
    expect(stdout.trim().split('\n')).toHaveLength(4)
  })
})

/** Runs the writer, and ends it with SIGKILL some milliseconds after it began, if it has not ended by then. */
async function killed(what: string, path: string, delay: number): Promise<boolean> {
  const program = join(import.meta.dirname, 'programs', 'lance.mjs')
  const child = spawn(process.execPath, [program, what, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<boolean>((resolve) => child.on('exit', (_, signal) => resolve(signal === 'SIGKILL')))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  await Promise.race([setTimeout(delay), ended])
  child.kill('SIGKILL')
  return ended
}

test('killed at any moment, an index is as it was before or as it is after', async () => {
  const { integer } = random(5, 'kills')
  const [base, path] = [at('base.index'), at('cut.index')]
  expect(await killed('create', base, 60_000)).toBe(false)
  const counts = { killed: 0, before: 0, after: 0 }
  const size = async () => {
    const { db, head, items } = await openItems(path)
    await items.checkout(head.version)
    const found = (await items.query().select(['id', 'entry']).toArray()).length
    db.close()
    return found
  }
  for (const [what, before, after] of [
    ['create', 0, 20_000],
    ['add', 20_000, 40_000],
    ['remove', 20_000, 10_000],
  ] as const) {
    for (let round = 0; round < 5; round++) {
      await rm(path, { recursive: true, force: true })
      if (before > 0) await cp(base, path, { recursive: true })
      if (await killed(what, path, integer(round < 3 ? 80 : 400))) counts.killed++
      const isThere = (await stat(path).catch(() => undefined)) !== undefined
      const found = isThere ? await size() : 0
      expect([before, after]).toContain(found)
      counts[found === before ? 'before' : 'after']++
    }
    // What was killed is in nobody's way.
    if ((await stat(path).catch(() => undefined)) === undefined || (await size()) === before) {
      expect(await killed(what, path, 60_000)).toBe(false)
    }
    expect(await size()).toBe(after)
    expect((await readdir(path)).filter((name) => name === 'writer')).toEqual([])
  }
  expect(counts.killed).toBeGreaterThan(7)
  expect(counts.before).toBeGreaterThan(0)
})
