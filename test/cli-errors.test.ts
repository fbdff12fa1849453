/** Every way in which the command line refuses bad usage and bad data: one line, and the exit code. */
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { metricsByName } from '../src/metrics/by-name.ts'
import { isometry as asProcess, executable } from './command.ts'
import { expectError, fixture, quick } from './fixture.ts'
import { writeImages } from './images.ts'
import { isometry } from './in-process.ts'

let { at, data, model, dispose } = {} as Awaited<ReturnType<typeof fixture>>
beforeAll(async () => {
  ;({ at, data, model, dispose } = await fixture())
})
afterAll(() => dispose())

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
    [['train'], /nothing to train on/],
    [['train', 'x'], /--out <MODEL> is missing/],
    [['train', 'x', '--out', 'y', '--steps', '0'], /whole number of at least 1/],
    [['train', 'x', '--out', 'y', '--steps', '1.5'], /whole number/],
    [['train', 'x', '--out', 'y', '--per-class', '1'], /of at least 2/],
    [['train', 'x', '--out', 'y', '--hold-out-classes', '2'], /from 0 to 1/],
    [['train', 'x', '--out', 'y', '--hold-out-classes', '1'], /share below 1/],
    [['train', 'x', '--out', 'y', '--learning-rate', 'fast'], /Expected a number/],
    [['train', 'x', '--out', 'y', '--learning-rate', '0'], /number above 0/],
    [['train', 'x', '--out', 'y', '--metric', 'taxicab'], /Allowed choices are cosine/],
    [['train', 'x', '--out', 'y', '--margin', '3'], /margin 3 can never be reached/],
    [['train', 'x', '--out', 'y', '--margin', '-1'], /at least 0, found -1/],
    [['train', 'x', '--out', 'y', '--scale', '0'], /scale is 0; expected a number above 0/],
    [['train', 'x', '--out', 'y', '--metric', 'euclidean'], /cosineMarginTriplet is defined for the metric cosine/],
    [
      ['train', 'x', '--out', 'y', '--loss', 'triplet', '--scale', '3'],
      /The loss triplet has no setting scale\. It has margin, smooth, swap\./,
    ],
    [
      ['train', 'x', '--out', 'y', '--loss', 'tripplet'],
      /no loss tripplet\. Choose among triplet, cosineMarginTriplet,/,
    ],
    [['train', 'x', '--out', 'y', '--mining', 'hard'], /no mining hard\. Choose among all, batchHard,/],
    [['train', 'x', '--out', 'y', '--reducer', 'average'], /no reducer average\. Choose among mean, meanNonZero,/],
    [['train', 'x', '--out', 'y', '--loss-settings', '{margin: 1}'], /Expected a JSON object/],
    [['train', 'x', '--out', 'y', '--loss-settings', '[1]'], /Expected a JSON object/],
    [['train', 'x', '--out', 'y', '--loss-settings', '{"temperature": 1}'], /has no setting temperature/],
    [['train', 'x', '--out', 'y', '--margin', '0.1', '--loss-settings', '{"margin": 0.2}'], /as a flag and in/],
    [['train', 'x', '--out', 'y', '--loss', 'pnp', '--variant', 'X'], /Allowed choices are O, Ds/],
    [['train', 'x', '--out', 'y', '--loss', 'arcface', '--mining', 'batchHard'], /arcface takes no mining/],
    [['train', 'x', '--out', 'y', '--loss', 'histogram', '--reducer', 'meanNonZero'], /takes no reducer/],
    [['train', 'x', '--out', 'y', '--mining', 'pairMargin', '--mining-settings', '{"margin": 1}'], /has no setting/],
    [['train', 'x', '--out', 'y', '--reducer-settings', '{"low": 1}'], /belong to a --reducer/],
    [['train', 'x', '--out', 'y', '--reducer', 'threshold'], /low, high or both/],
    [['train', 'x', '--out', 'y', '--self-supervised'], /Add --augment/],
    [['train', 'x', '--out', 'y', '--memory', '0'], /at least 1/],
    [['train', 'x', '--out', 'y', '--matryoshka', '0'], /whole numbers above 0/],
    [['train', 'x', '--out', 'y', '--encoder-momentum', '1'], /share below 1/],
    [['train', 'x', '--out', 'y', '--validation', 'z', '--hold-out-classes', '0.5'], /cannot be used with/],
    [['train', 'x', '--out', 'y', '--validation', 'z', '--hold-out-examples', '0.5'], /cannot be used with/],
    [['train', 'x', '--out', 'y', '--hold-out-classes', '0.2', '--hold-out-examples', '0.5'], /cannot be used with/],
    [['train', 'x', '--out', 'y', '--class-weighting', 'much'], /Allowed choices are equal, size, squareRoot/],
    [['train', 'x', '--out', 'y', '--keep', 'first'], /Allowed choices are best, last/],
    [['train', 'x', '--out', 'y', '--patience', '0'], /of at least 1/],
    [['train', 'x', '--out', 'y', '--encoder', 'convolutional', '--image-size', '4'], /at least 8 × 8/],
    [['search', 'm', 'q', '--gallery', 'g', '-k', '0'], /at least 1/],
    [['search', 'm', 'q'], /Name either --gallery or --gallery-query or --index, found none/],
    [['embed', 'm', 'q'], /required option '--out <FILE>'/],
    [['serve', 'm'], /either --index or --gallery, found none/],
    [['serve', 'm', '--index', 'i', '--gallery', 'g'], /either --index or --gallery, found two/],
    [['serve', 'm', '--index', 'i', '--port', '65536'], /from 0 to 65535/],
    [['serve', 'm', '--index', 'i', '--queue', '0'], /at least 1/],
  ])('%j is refused with exit code 2', async (args, message) => {
    expectError(await isometry(args), 2, message)
  })

  test('threads that are none, by the variable of the environment', async () => {
    const { ISOMETRY_THREADS: before } = process.env
    try {
      process.env.ISOMETRY_THREADS = 'all'
      expectError(await isometry(['evaluate', model, data]), 2, /ISOMETRY_THREADS is all; expected a whole number/)
    } finally {
      process.env.ISOMETRY_THREADS = before
    }
  })

  test('every metric of the library is offered, and no other', async () => {
    const { stderr } = await isometry(['train', 'x', '--out', 'y', '--metric', 'taxicab'])
    expect(stderr).toContain(`Allowed choices are ${[...metricsByName.keys()].join(', ')}.`)
  })

  test('without a command it shows what there is, and fails', async () => {
    const { code, stdout, stderr } = await asProcess([])
    expect(code).toBe(2)
    expect(stdout).toMatch(/Usage: isometry[\s\S]*train/)
    expect(stderr).toBe('isometry: No command was given.\n')
  })

  test('a process says and ends as the command does', async () => {
    for (const args of [
      ['--version'],
      ['train', 'x', '--out', 'y', '--steps', '0'],
      ['evaluate', at('nothing'), data],
    ]) {
      expect(await asProcess(args)).toEqual(await isometry(args))
    }
    // Who reads no further is no error.
    const cut = `"${process.execPath}" "${executable}" losses --json | head -c 3; exit "\${PIPESTATUS[0]}"`
    const { status, stdout, stderr } = spawnSync('bash', ['-c', cut], { encoding: 'utf8' })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '{"l', stderr: '' })
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
    expectError(
      await train(at('one'), '--hold-out-classes', '0'),
      1,
      /at least two examples: 1 of 1, but training needs 2/,
    )
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
