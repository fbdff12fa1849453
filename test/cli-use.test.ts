/** `isometry evaluate`, `search` and `embed`, with a model that `train` made. */
import { copyFile, mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { classes, expectError, fixture } from './fixture.ts'
import { writeImages } from './images.ts'
import { isometry } from './in-process.ts'

let { at, data, model, dispose } = {} as Awaited<ReturnType<typeof fixture>>
beforeAll(async () => {
  ;({ at, data, model, dispose } = await fixture())
})
afterAll(() => dispose())

describe('evaluate', () => {
  test('prints one object, and agrees with what training said', async () => {
    const { code, stdout } = await isometry(['evaluate', model, data, '--json'])
    expect(code).toBe(0)
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ metric: 'cosine', items: 48, queries: 48 })
    expect(Object.keys(result.recallAtK)).toEqual(['1', '2', '4', '8'])
    expect(result.recallAtK['1']).toBe(result.precisionAt1)
    expect(result.precisionAt1).toBeGreaterThan(0.5)
  })

  test('compares with a gallery, and prints a table without --json', async () => {
    const gallery = at('gallery')
    await writeImages(gallery, classes.slice(0, 3), 2)
    const { stdout } = await isometry(['evaluate', model, data, '--gallery', gallery, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ items: 48, queries: 18 })
    const readable = await isometry(['evaluate', model, data])
    expect(readable.stdout).toMatch(/48 queries of 48 images, metric cosine[\s\S]*precision@1 .* %/)
  })
})

describe('search', () => {
  test('gives matches nearest first, in the order of arguments and names, never the file itself', async () => {
    const queries = [join(data, 'c', '1.png'), join(data, 'Greek')]
    const { code, stdout } = await isometry(['search', model, ...queries, '--gallery', data, '-k', '3', '--json'])
    expect(code).toBe(0)
    const results = JSON.parse(stdout) as {
      query: string
      matches: { item: string; label: string; distance: number }[]
    }[]
    expect(results.map(({ query }) => query)).toEqual([
      queries[0],
      ...['alpha', 'beta'].flatMap((name) => [0, 1, 2, 3, 4, 5].map((i) => join(data, 'Greek', name, `${i}.png`))),
    ])
    for (const { query, matches } of results) {
      expect(matches).toHaveLength(3)
      expect(matches.map(({ item }) => item)).not.toContain(query)
      const distances = matches.map(({ distance }) => distance)
      expect(distances).toEqual([...distances].sort((a, b) => a - b))
      expect(distances.every((distance) => distance >= 0 && distance <= 2)).toBe(true)
      for (const { item } of matches) expect((await stat(item)).isFile()).toBe(true)
    }
    expect(results[0]!.matches[0]).toMatchObject({ label: 'c' })
  })

  test('a link to a file of the gallery is that file; a copy is another', async () => {
    const link = at('link.png')
    const copy = at('copy.png')
    await symlink(join(data, 'a', '0.png'), link)
    await copyFile(join(data, 'a', '0.png'), copy)
    const { stdout } = await isometry(['search', model, link, copy, '--gallery', data, '-k', '1', '--json'])
    const [linked, copied] = JSON.parse(stdout)
    expect(linked.matches[0].item).not.toBe(join(data, 'a', '0.png'))
    expect(copied.matches[0]).toMatchObject({ item: join(data, 'a', '0.png'), label: 'a' })
  })

  test('the gallery may have no classes, and fewer images than k', async () => {
    const flat = at('flat')
    await mkdir(flat)
    await copyFile(join(data, 'a', '0.png'), join(flat, 'x.png'))
    const { stdout } = await isometry(['search', model, join(data, 'a', '1.png'), '--gallery', flat, '--json'])
    expect(JSON.parse(stdout)[0].matches).toEqual([
      { item: join(flat, 'x.png'), label: null, distance: expect.any(Number) },
    ])
    const readable = await isometry(['search', model, join(data, 'a', '1.png'), '--gallery', flat])
    expect(readable.stdout).toMatch(/1\.png\n {2}0\.\d{4} {2}.*x\.png\n$/)
  })
})

describe('embed', () => {
  test('writes JSON lines and safetensors with the same numbers', async () => {
    const paths = [join(data, 'a'), join(data, 'b', '3.png')]
    expect((await isometry(['embed', model, ...paths, '--out', at('e.jsonl')])).code).toBe(0)
    expect((await isometry(['embed', model, ...paths, '--out', at('e.safetensors')])).code).toBe(0)
    const lines = (await readFile(at('e.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { item: string; label: string | null; embedding: number[] })
    expect(lines).toHaveLength(7)
    expect(lines[6]).toMatchObject({ item: paths[1], label: null })
    for (const { embedding } of lines) expect(Math.hypot(...embedding)).toBeCloseTo(1, 5)

    const file = await readFile(at('e.safetensors'))
    const length = Number(file.readBigUInt64LE(0))
    const header = JSON.parse(file.subarray(8, 8 + length).toString())
    expect(header.embeddings).toEqual({ dtype: 'F32', shape: [7, 8], data_offsets: [0, 7 * 8 * 4] })
    expect(JSON.parse(header.__metadata__.items)).toEqual(lines.map(({ item }) => item))
    expect(JSON.parse(header.__metadata__.labels)).toEqual(lines.map(({ label }) => label))
    const numbers = Array.from({ length: 56 }, (_, i) => file.readFloatLE(8 + length + 4 * i))
    expect(numbers).toEqual(lines.flatMap(({ embedding }) => embedding))
  })

  test('another ending is wrong usage; a place that cannot be written is a failure', async () => {
    expectError(
      await isometry(['embed', model, data, '--out', at('e.csv')]),
      2,
      /should end in \.jsonl or \.safetensors/,
    )
    expectError(await isometry(['embed', model, data, '--out', at('no', 'such', 'e.jsonl')]), 1, /Cannot write/)
  })
})
