/** The command line from images to search results, and every way in which it refuses bad input. */
import { copyFile, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isometry, type Outcome } from './command.ts'
import { temporaryFolder, writeImages } from './images.ts'

const classes = ['a', 'b', 'c', 'd', 'e', 'Greek/alpha', 'Greek/beta', 'h']
const quick = ['--image-size', '12', '--grayscale', '--steps', '12', '--dimension', '8', '--threads', '1']

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let data: string
let model: string
let trained: Outcome
const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await temporaryFolder()
  data = at('data')
  model = at('model')
  await writeImages(data, classes, 6)
  trained = await isometry(['train', data, '--out', model, ...quick, '--json'])
})
afterAll(() => folder.dispose())

/** Expects one line on standard error that matches, and the exit code. */
function expectError({ code, stdout, stderr }: Outcome, expectedCode: number, message: RegExp) {
  const lines = stderr.split('\n').filter((line) => line !== '' && !/^(warning|training|step)/.test(line))
  expect(lines, stderr).toHaveLength(1)
  expect(lines[0]).toMatch(message)
  expect(lines[0]).toMatch(/^isometry: /)
  expect(stdout).toBe('')
  expect(code).toBe(expectedCode)
}

describe('train', () => {
  test('ends with one JSON object; progress and warnings go to standard error', () => {
    expect(trained.code, trained.stderr).toBe(0)
    const result = JSON.parse(trained.stdout)
    expect(Object.keys(result)).toEqual(['model', 'settings', 'steps', 'seconds', 'loss', 'validation'])
    expect(result).toMatchObject({ model, steps: 12, settings: { loss: 'cosineMarginTriplet', margin: 0.2, seed: 0 } })
    for (const evaluation of [result.validation.before, result.validation.after]) {
      expect(Object.keys(evaluation)).toEqual([
        'metric',
        'items',
        'queries',
        'precisionAt1',
        'recallAtK',
        'meanAveragePrecisionAtR',
        'rPrecision',
      ])
    }
    expect(trained.stderr).toMatch(/step 12\/12, loss/)
    expect(trained.stderr).toMatch(/warning: .*6 classes.*32/)
  })

  test('leaves encoder.onnx, isometry.json and a line of history for each step', async () => {
    expect((await readdir(model)).sort()).toEqual(['encoder.onnx', 'history.jsonl', 'isometry.json'])
    const description = JSON.parse(await readFile(join(model, 'isometry.json'), 'utf8'))
    expect(description).toMatchObject({
      formatVersion: 1,
      metric: 'cosine',
      input: { kind: 'image', channels: 1, height: 12, width: 12, resize: 'stretch' },
      loss: { name: 'cosineMarginTriplet', margin: 0.2 },
      training: { steps: 12 },
    })
    expect(description.heldOut.classes).toHaveLength(2)
    expect(description.heldOut.items).toHaveLength(12)
    const history = (await readFile(join(model, 'history.jsonl'), 'utf8')).trim().split('\n')
    expect(history.map((line) => JSON.parse(line).step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
    expect(JSON.parse(history[0]!)).toMatchObject({ loss: expect.any(Number), positiveDistance: expect.any(Number) })
  })

  test('the same command gives the same bytes', async () => {
    const again = await isometry(['train', data, '--out', at('again'), ...quick, '--augment', '--json'])
    const once = await isometry(['train', data, '--out', at('once'), ...quick, '--augment', '--json'])
    expect([again.code, once.code]).toEqual([0, 0])
    const bytes = await readFile(at('again', 'encoder.onnx'))
    expect(bytes.equals(await readFile(at('once', 'encoder.onnx')))).toBe(true)
    const other = await isometry(['train', data, '--out', at('other'), ...quick, '--augment', '--seed', '1'])
    expect(other.code).toBe(0)
    expect(bytes.equals(await readFile(at('other', 'encoder.onnx')))).toBe(false)
  })

  test('takes every metric, loss, miner and encoder that fit together', async () => {
    for (const [i, flags] of [
      ['--metric', 'euclidean', '--loss', 'triplet', '--mining', 'batchHard', '--encoder', 'mlp', '--margin', '1'],
      ['--metric', 'squaredEuclidean', '--loss', 'triplet', '--hold-out-classes', '0'],
      ['--mining', 'batchHard', '--scale', '8', '--margin', '0.1', '--classes-per-batch', '3', '--per-class', '2'],
    ].entries()) {
      const result = await isometry([
        'train',
        data,
        '--out',
        at(`fits${i}`),
        ...quick,
        '--steps',
        '3',
        '--json',
        ...flags,
      ])
      expect(result.code, result.stderr).toBe(0)
      expect(JSON.parse(result.stdout).validation === null).toBe(flags.includes('--hold-out-classes'))
    }
  })

  test('--validation takes the place of holding out', async () => {
    const result = await isometry(['train', data, '--out', at('validated'), ...quick, '--validation', data, '--json'])
    expect(JSON.parse(result.stdout).validation.after.items).toBe(48)
    expect(result.stderr).toMatch(/training on 48 images of 8 classes/)
  })

  test('an --out that exists is refused without --force, and only a model is replaced with it', async () => {
    expectError(await isometry(['train', data, '--out', model, ...quick]), 1, /model exists.*--force/)
    expectError(
      await isometry(['train', data, '--out', data, '--force', ...quick]),
      1,
      /not a model, so it is not replaced/,
    )
    const forced = await isometry(['train', data, '--out', at('fits1'), '--force', ...quick, '--steps', '2'])
    expect(forced.code, forced.stderr).toBe(0)
    expect(await readFile(at('fits1', 'history.jsonl'), 'utf8')).toMatch(/^.*\n.*\n$/)
  })

  test('Ctrl-C stops after the step, leaves nothing behind and exits with 130', async () => {
    let sent = false
    const outcome = await isometry(
      ['train', data, '--out', at('interrupted'), ...quick, '--steps', '100000'],
      (stderr, kill) => {
        if (!sent && stderr.includes('training on')) setTimeout(() => kill('SIGINT'), 500)
        sent ||= stderr.includes('training on')
      },
    )
    expectError(outcome, 130, /Training was stopped after step \d+ of 100000/)
    expect((await readdir(folder.path)).filter((name) => name.includes('interrupted'))).toEqual([])
  })
})

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

describe('usage', () => {
  test('help and version are everywhere', async () => {
    for (const args of [
      ['--help'],
      ['train', '--help'],
      ['evaluate', '--help'],
      ['search', '--help'],
      ['embed', '--help'],
    ]) {
      const { code, stdout } = await isometry(args)
      expect(code).toBe(0)
      expect(stdout).toMatch(/Usage: isometry/)
    }
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8'))
    for (const args of [['--version'], ['train', '--version'], ['search', '--version']]) {
      expect(await isometry(args)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
    }
  })

  test.each([
    [['train', 'x', '--out', 'y', '--frobnicate'], /unknown option '--frobnicate'/],
    [['train', 'x', '--out', 'y', '--stepz', '3'], /Did you mean --steps/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['train'], /(missing required argument|required option)/],
    [['train', 'x'], /required option '--out <MODEL>'/],
    [['train', 'x', '--out', 'y', '--steps', '0'], /whole number of at least 1/],
    [['train', 'x', '--out', 'y', '--steps', '1.5'], /whole number/],
    [['train', 'x', '--out', 'y', '--per-class', '1'], /of at least 2/],
    [['train', 'x', '--out', 'y', '--hold-out-classes', '2'], /from 0 to 1/],
    [['train', 'x', '--out', 'y', '--hold-out-classes', '1'], /share below 1/],
    [['train', 'x', '--out', 'y', '--learning-rate', 'fast'], /Expected a number/],
    [['train', 'x', '--out', 'y', '--learning-rate', '0'], /number above 0/],
    [['train', 'x', '--out', 'y', '--metric', 'taxicab'], /Allowed choices are cosine/],
    [['train', 'x', '--out', 'y', '--margin', '3'], /margin 3 can never be reached/],
    [['train', 'x', '--out', 'y', '--margin', '-1'], /of at least 0/],
    [['train', 'x', '--out', 'y', '--scale', '0'], /number above 0/],
    [['train', 'x', '--out', 'y', '--metric', 'euclidean'], /cosineMarginTriplet is defined for the metric cosine/],
    [['train', 'x', '--out', 'y', '--loss', 'triplet', '--scale', '3'], /--scale belongs to/],
    [['train', 'x', '--out', 'y', '--validation', 'z', '--hold-out-classes', '0.5'], /cannot be used with/],
    [['train', 'x', '--out', 'y', '--encoder', 'convolutional', '--image-size', '4'], /at least 8 × 8/],
    [['search', 'm', 'q', '--gallery', 'g', '-k', '0'], /at least 1/],
    [['search', 'm', 'q'], /required option '--gallery <DATA>'/],
  ])('%j is refused with exit code 2', async (args, message) => {
    expectError(await isometry(args), 2, message)
  })

  test('without a command it shows what there is, and fails', async () => {
    const { code, stdout, stderr } = await isometry([])
    expect(code).toBe(2)
    expect(stdout).toMatch(/Usage: isometry[\s\S]*train/)
    expect(stderr).toBe('isometry: No command was given.\n')
  })

  test('--debug adds the stack', async () => {
    const { stderr, code } = await isometry(['evaluate', at('nothing'), data, '--debug'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/There is no model at .*\n.*DataError[\s\S]*at /)
  })
})

describe('bad data', () => {
  const train = (path: string, ...more: string[]) => isometry(['train', path, '--out', at('never'), ...quick, ...more])

  test('an empty folder, a folder without images, one that is missing or a file', async () => {
    await mkdir(at('empty'))
    await mkdir(at('text'))
    await writeFile(at('text', 'notes.txt'), 'no image')
    expectError(await train(at('empty')), 1, /empty/)
    expectError(await train(at('text')), 1, /text.*PNG/i)
    expectError(await train(at('missing')), 1, /missing/)
    expectError(await train(join(data, 'a', '0.png')), 1, /0\.png/)
    expectError(await isometry(['search', model, at('missing.png'), '--gallery', data]), 1, /missing\.png/)
  })

  test('one class only, and no class at all', async () => {
    await writeImages(at('one'), ['only'], 4)
    expectError(await train(at('one'), '--hold-out-classes', '0'), 1, /at least two examples: 1, but training needs 2/)
    expectError(await train(at('one')), 1, /class/)
    expectError(await train(join(data, 'a')), 1, /class/)
  })

  test('a truncated PNG is named and skipped', async () => {
    await writeImages(at('torn'), ['a', 'b', 'c', 'd'], 3)
    const whole = await readFile(at('torn', 'a', '0.png'))
    await writeFile(at('torn', 'a', '0.png'), whole.subarray(0, whole.length >> 1))
    const outcome = await train(at('torn'), '--out', at('torn-model'))
    expect(outcome.code, outcome.stderr).toBe(0)
    expect(outcome.stderr).toMatch(/warning: .*a\/0\.png/)
    expect(outcome.stderr).toMatch(/training on 9 images of 3 classes; evaluating on 2 images of 1 class,/)
    expectError(await isometry(['search', model, at('torn', 'a', '0.png'), '--gallery', data]), 1, /a\/0\.png/)
  })

  test('an image of 30,000 × 30,000 pixels is refused by the limit', async () => {
    const file = at('huge.png')
    await writeFile(file, monochromePng(30_000))
    expectError(await isometry(['search', model, file, '--gallery', data]), 1, /30,?000.*100 megapixels/)
  })

  test('what is not a model, or a newer one, is said so', async () => {
    expectError(await isometry(['evaluate', join(model, 'encoder.onnx'), data]), 1, /is a file, not a model/)
    expectError(await isometry(['evaluate', data, data]), 1, /is not a model: it has no readable isometry\.json/)
    expectError(await isometry(['evaluate', at('nowhere'), data]), 1, /There is no model at/)
    const newer = at('newer')
    await mkdir(newer)
    const description = JSON.parse(await readFile(join(model, 'isometry.json'), 'utf8'))
    await writeFile(join(newer, 'isometry.json'), JSON.stringify({ ...description, formatVersion: 99 }))
    expectError(await isometry(['evaluate', newer, data]), 1, /format version 99; this Isometry reads up to 1/)
    await writeFile(join(newer, 'isometry.json'), '{')
    expectError(await isometry(['evaluate', newer, data]), 1, /is not JSON/)
    await writeFile(join(newer, 'isometry.json'), JSON.stringify(description))
    expectError(await isometry(['evaluate', newer, data]), 1, /no readable encoder\.onnx/)
    await writeFile(join(newer, 'encoder.onnx'), 'junk')
    expectError(await isometry(['evaluate', newer, data]), 1, /ONNX Runtime cannot open/)
  })

  test('an --out that cannot be written is found before training', async () => {
    await writeFile(at('file'), '')
    const outcome = await isometry(['train', data, '--out', at('file', 'model'), ...quick])
    expectError(outcome, 1, /cannot be written to .*Name a directory that you may write to/)
    expect(outcome.stderr).not.toMatch(/training on/)
  })

  test('queries that no class mate could match are an error that says so', async () => {
    await writeImages(at('singles'), ['a', 'b', 'c'], 1)
    expectError(await isometry(['evaluate', model, at('singles')]), 1, /class/)
  })
})

/** A real PNG of one bit a pixel, all black: large when decoded, small as a file. */
function monochromePng(side: number): Buffer {
  const chunk = (type: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), content])
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(content.length)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, sum])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header[8] = 1
  const pixels = deflateSync(Buffer.alloc(side * (Math.ceil(side / 8) + 1)), { level: 1 })
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}

test('the huge image of these tests is a real one', async () => {
  const { width, height } = await sharp(monochromePng(64)).metadata()
  expect([width, height]).toEqual([64, 64])
})
