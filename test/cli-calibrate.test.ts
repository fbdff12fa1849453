/** `isometry calibrate`, `compare`, and all that `evaluate` says. */
import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadModel } from '../src/model/index.ts'
import { expectError, fixture } from './fixture.ts'
import { isometry } from './in-process.ts'

let { at, data, model, dispose } = {} as Awaited<ReturnType<typeof fixture>>
beforeAll(async () => {
  ;({ at, data, model, dispose } = await fixture())
})
afterAll(() => dispose())

describe('calibrate and compare', () => {
  test('a model that is not calibrated says so', async () => {
    const compared = await isometry(['compare', model, join(data, 'a', '0.png'), join(data, 'a', '1.png')])
    expectError(compared, 2, /not calibrated.*isometry calibrate/)
  })

  test('too few different pairs, and rates that are none', async () => {
    const few = await isometry(['calibrate', model, data, '--false-positive-rate', '0.0001'])
    expectError(few, 1, /1008 pairs of different classes.*at least 10000/)
    expectError(await isometry(['calibrate', model, data, '--false-positive-rate', '2']), 2, /above 0 and below 1/)
    expectError(await isometry(['calibrate', model, data, '--false-positive-rate', 'x']), 2, /Expected a number/)
    expectError(await isometry(['calibrate', model, data]), 2, /false-positive-rate/)
  })

  test('the threshold is stored in the model, alone, and is what compare goes by', async () => {
    const before = JSON.parse(await readFile(join(model, 'isometry.json'), 'utf8'))
    const { code, stdout } = await isometry(['calibrate', model, data, '--false-positive-rate', '0.01', '--json'])
    expect(code).toBe(0)
    const calibration = JSON.parse(stdout)
    expect(calibration).toMatchObject({ falsePositiveRate: 0.01, pairs: { same: 120, different: 1008 } })
    expect(calibration.confidence[0]).toBeLessThanOrEqual(calibration.confidence[1])
    expect(JSON.parse(await readFile(join(model, 'isometry.json'), 'utf8'))).toEqual({ ...before, calibration })
    expect((await readdir(model)).sort()).toEqual(['config.json', 'encoder.onnx', 'history.jsonl', 'isometry.json'])

    const pair = [join(data, 'a', '0.png'), join(data, 'b', '1.png')] as const
    const compared = JSON.parse((await isometry(['compare', model, ...pair, '--json'])).stdout)
    expect(Object.keys(compared)).toEqual(['same', 'distance', 'threshold', 'falsePositiveRate'])
    expect(compared).toMatchObject({ threshold: calibration.threshold, falsePositiveRate: 0.01 })
    expect(compared.same).toBe(compared.distance <= compared.threshold)
    expect((await isometry(['compare', model, pair[0], pair[0]])).stdout).toMatch(/^same: distance 0\.0000/)

    const loaded = await loadModel(model)
    expect(await loaded.same(pair[0], pair[0])).toBe(true)
    expect(await loaded.same(...pair)).toBe(compared.same)
    await loaded.save(at('copy'))
    await loaded.release()
    expect(JSON.parse(await readFile(join(at('copy'), 'isometry.json'), 'utf8')).calibration).toEqual(calibration)
    const readable = await isometry(['calibrate', model, data, '--false-positive-rate', '0.01'])
    expect(readable.stdout).toMatch(/^same up to a distance of 0\.\d{4} \(95 %: .* to .*\), metric cosine\nfinds .* %/)
  })
})

describe('a calibration that is not written, or not whole', () => {
  const file = () => join(model, 'isometry.json')
  const pair = () => [join(data, 'a', '0.png'), join(data, 'a', '1.png')] as const

  test('a full disk, or a process that was killed, leaves the model as it was', async () => {
    const before = await readFile(file())
    const names = await readdir(model)
    // Writes to it fail as on a full disk.
    await symlink('/dev/full', `${file()}.partial-${process.pid}`)
    const failed = await isometry(['calibrate', model, data, '--false-positive-rate', '0.2'])
    expectError(failed, 1, /A model cannot be written to .*model: ENOSPC.*Name a directory that you may write to/)
    expect(await readFile(file())).toEqual(before)
    expect(await readdir(model)).toEqual(names)
    await writeFile(`${file()}.partial-1`, before.subarray(0, 100))
    expect((await isometry(['compare', model, ...pair()])).code).toBe(0)
    await rm(`${file()}.partial-1`)
  })

  test.each([
    ['0.3', '"0.3"'],
    [{}, '{}'],
    [null, 'null'],
    [{ threshold: 'near', falsePositiveRate: 0.01 }, '{"threshold":"near","falsePositiveRate":0.01}'],
    [{ threshold: 0.3 }, '{"threshold":0.3}'],
    [{ threshold: 0.3, falsePositiveRate: 2 }, '{"threshold":0.3,"falsePositiveRate":2}'],
  ])('%j in isometry.json is said', async (calibration, shown) => {
    const before = await readFile(file(), 'utf8')
    try {
      await writeFile(file(), JSON.stringify({ ...JSON.parse(before), calibration }))
      const refused = await isometry(['compare', model, ...pair()])
      expectError(refused, 1, /isometry\.json is calibrated to .*; expected a threshold and a falsePositiveRate/)
      expect(refused.stderr).toContain(`calibrated to ${shown};`)
    } finally {
      await writeFile(file(), before)
    }
  })
})

describe('evaluate', () => {
  test('says all, keeps what it said, and puts intervals under the same names', async () => {
    const result = JSON.parse((await isometry(['evaluate', model, data, '--json'])).stdout)
    const { confidence, metric, items, queries, clustering, ...figures } = result
    expect([metric, items, queries]).toEqual(['cosine', 48, 48])
    expect(Object.keys(clustering)).toEqual(['nmi', 'ami'])
    expect(Object.keys(figures).sort()).toEqual(Object.keys(confidence).sort())
    expect(Object.keys(figures.verification)).toEqual(Object.keys(confidence.verification))
    expect(Object.keys(figures.ndcgAtK)).toEqual(['1', '5', '10'])
    for (const name of ['meanAveragePrecision', 'meanReciprocalRank', 'precisionAt1']) {
      const [low, high] = confidence[name]
      expect(low).toBeLessThanOrEqual(figures[name])
      expect(high).toBeGreaterThanOrEqual(figures[name])
    }
  })

  test('shows the worst classes, and all with --per-class', async () => {
    const worst = (await isometry(['evaluate', model, data])).stdout
    expect(worst.split('worst classes')[1]!.trim().split('\n')).toHaveLength(6)
    const all = (await isometry(['evaluate', model, data, '--per-class'])).stdout
    expect(all.split('classes, worst first')[1]!.trim().split('\n')).toHaveLength(9)
    const json = JSON.parse((await isometry(['evaluate', model, data, '--per-class', '--json'])).stdout)
    expect(json.perClass).toHaveLength(8)
  })

  test('takes a table of relevance, by paths in the folder or as they are', async () => {
    const rows = [
      ['a/0.png', 'a/1.png', 2],
      ['a/0.png', join(data, 'b', '0.png'), 1],
      ['b/0.png', 'b/1.png', 1],
    ]
    await writeFile(at('r.csv'), `query,item,grade\n${rows.map((row) => row.join(',')).join('\n')}\n`)
    await writeFile(at('r.tsv'), rows.map((row) => row.join('\t')).join('\n'))
    const lines = rows.map(([query, item, grade]) => JSON.stringify({ query, item, grade }))
    await writeFile(at('r.jsonl'), lines.join('\n'))
    const found = await Promise.all(
      ['r.csv', 'r.tsv', 'r.jsonl'].map((file) =>
        isometry(['evaluate', model, data, '--relevance', at(file), '--json']),
      ),
    )
    expect(JSON.parse(found[0]!.stdout)).toMatchObject({ items: 48, queries: 2 })
    for (const { stdout } of found) expect(stdout).toBe(found[0]!.stdout)
  })

  test('a table that cannot be used', async () => {
    const using = async (text: string) => {
      await writeFile(at('bad.csv'), text)
      return isometry(['evaluate', model, data, '--relevance', at('bad.csv')])
    }
    expectError(await using('a/0.png,a/1.png\n'), 1, /line 1.*expected a query, an item and a grade/)
    expectError(await using('a/0.png,a/1.png,-1\n'), 1, /line 1/)
    expectError(await using('query,item,grade\n'), 1, /is empty/)
    expectError(await using('a/0.png,nowhere.png,1\n'), 1, /names the item nowhere\.png/)
    expectError(await isometry(['evaluate', model, data, '--relevance', at('none.csv')]), 1, /cannot be read/)
  })
})
