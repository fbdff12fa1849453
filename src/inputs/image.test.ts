import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp, { type Color } from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DataError, UsageError } from '../errors.ts'
import { decodeImage, type ImageInput, isImageFile } from './image.ts'

const input = (channels: 1 | 3, height: number, width: number): ImageInput => ({
  kind: 'image',
  channels,
  height,
  width,
  resize: 'stretch',
})

const solid = (background: Color, channels: 3 | 4 = 3) =>
  sharp({ create: { width: 16, height: 16, channels, background } })

/** An image of 2 x 3 pixels, all different, as bytes [height, width, channels]. */
const six = Uint8Array.of(10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150, 160, 170, 180)
const sixImage = () => sharp(six, { raw: { height: 2, width: 3, channels: 3 } })

const near = (bytes: Uint8Array, expected: readonly number[], tolerance: number) => {
  expect(bytes.length).toBe(expected.length)
  bytes.forEach((byte, i) => {
    expect(Math.abs(byte - expected[i]!), `${[...bytes]} against ${expected}`).toBeLessThanOrEqual(tolerance)
  })
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isometry-image-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('decodeImage', () => {
  test('gives planes, rows, columns', async () => {
    const bytes = await decodeImage(await sixImage().png().toBuffer(), input(3, 2, 3))
    expect([...bytes]).toEqual([
      ...[10, 40, 70, 100, 130, 160],
      ...[20, 50, 80, 110, 140, 170],
      ...[30, 60, 90, 120, 150, 180],
    ])
  })

  test('reads a path as it reads the bytes of the file, and reads it anew', async () => {
    const path = join(folder, 'six.png')
    await writeFile(path, await sixImage().png().toBuffer())
    expect(await decodeImage(path, input(3, 2, 3))).toEqual(
      await decodeImage(await sixImage().png().toBuffer(), input(3, 2, 3)),
    )
    await writeFile(path, await solid('#ff0000').png().toBuffer())
    expect([...(await decodeImage(path, input(3, 1, 1)))]).toEqual([255, 0, 0])
  })

  test('stretches to the size, whatever the proportions', async () => {
    const halves = await sharp({ create: { width: 64, height: 8, channels: 3, background: 'black' } })
      .composite([{ input: { create: { width: 32, height: 8, channels: 3, background: 'white' } }, left: 32, top: 0 }])
      .png()
      .toBuffer()
    const bytes = await decodeImage(halves, input(1, 8, 4))
    for (let row = 0; row < 8; row++) near(bytes.subarray(row * 4, row * 4 + 4), [0, 0, 255, 255], 25)
  })

  test('makes gray the luminance', async () => {
    const gray = async (color: string) => (await decodeImage(await solid(color).png().toBuffer(), input(1, 1, 1)))[0]
    expect(await gray('#ffffff')).toBe(255)
    expect(await gray('#808080')).toBe(128)
    expect(await gray('#ff0000')).toBe(127)
  })

  test('turns a photograph upright', async () => {
    const stored = sharp({ create: { width: 32, height: 16, channels: 3, background: 'black' } }).composite([
      { input: { create: { width: 16, height: 16, channels: 3, background: 'white' } }, left: 0, top: 0 },
    ])
    // Orientation 6: shown turned by 90 degrees clockwise, so that the left half comes out on top.
    const photograph = await stored.withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer()
    expect((await sharp(photograph).metadata()).orientation).toBe(6)
    near(await decodeImage(photograph, input(1, 2, 1)), [255, 0], 25)
  })

  test('puts what is transparent on white', async () => {
    const onWhite = async (alpha: number) =>
      decodeImage(await solid({ r: 200, g: 100, b: 50, alpha }, 4).png().toBuffer(), input(3, 1, 1))
    expect([...(await onWhite(0))]).toEqual([255, 255, 255])
    near(await onWhite(0.5), [227, 177, 152], 1)
    expect([...(await onWhite(1))]).toEqual([200, 100, 50])
  })

  const color = () => solid('#c86432')
  const depth16 = () => solid('#c86432').toColourspace('rgb16')
  const alpha16 = () => solid({ r: 200, g: 100, b: 50, alpha: 1 }, 4).toColourspace('rgb16')
  test.each([
    ['PNG', () => color().png(), {}, 1],
    ['JPEG', () => color().jpeg({ quality: 100 }), {}, 3],
    ['WebP', () => color().webp({ lossless: true }), {}, 1],
    ['PNG with 16 bits', () => depth16().png(), { depth: 'ushort', channels: 3 }, 1],
    ['PNG with 16 bits and alpha', () => alpha16().png(), { depth: 'ushort', channels: 4 }, 1],
    ['PNG with a palette', () => color().png({ palette: true }), { isPalette: true }, 1],
    ['PNG in Display P3', () => color().withIccProfile('p3').png(), { hasProfile: true }, 2],
    // The rounding is that of the profile which stands in for a printer.
    ['JPEG in CMYK', () => color().toColourspace('cmyk').jpeg({ quality: 100 }), { space: 'cmyk' }, 32],
    ['interlaced PNG', () => color().png({ progressive: true }), { isProgressive: true }, 1],
  ] as const)('decodes %s to sRGB and to gray', async (_, make, facts, tolerance) => {
    const file = await make().toBuffer()
    expect(await sharp(file).metadata()).toMatchObject(facts)
    near(await decodeImage(file, input(3, 1, 1)), [200, 100, 50], tolerance)
    near(await decodeImage(file, input(1, 1, 1)), [128], tolerance)
  })

  test.each([
    ['8 bits', () => solid('#808080').toColourspace('b-w').png(), 'b-w'],
    ['16 bits', () => solid('#808080').toColourspace('grey16').png(), 'grey16'],
  ] as const)('decodes gray of %s to one channel and to three', async (_, make, space) => {
    const file = await make().toBuffer()
    expect((await sharp(file).metadata()).space).toBe(space)
    expect([...(await decodeImage(file, input(1, 1, 2)))]).toEqual([128, 128])
    expect([...(await decodeImage(file, input(3, 1, 1)))]).toEqual([128, 128, 128])
  })

  test.each(['png', 'jpeg', 'webp'] as const)(
    'refuses a %s that is cut off, in one line with its name',
    async (format) => {
      const noise = sharp({
        create: {
          width: 64,
          height: 64,
          channels: 3,
          background: 'gray',
          noise: { type: 'gaussian', mean: 128, sigma: 40 },
        },
      })
      const whole = await noise.toFormat(format).toBuffer()
      const path = join(folder, `cut.${format}`)
      for (const part of [0, 0.01, 0.05, 0.5, 0.9]) {
        await writeFile(path, whole.subarray(0, Math.floor(part * whole.length)))
        const error = await decodeImage(path, input(3, 8, 8)).catch((thrown) => thrown)
        expect(error, `${part} of it`).toBeInstanceOf(DataError)
        expect(error.message).toMatch(/^\S+cut\.\w+ cannot be decoded \(.+\): replace it or leave it out$/)
      }
      await writeFile(path, whole)
      expect(await decodeImage(path, input(3, 8, 8))).toHaveLength(192)
    },
  )

  test('refuses what is not an image, is not there, or is a folder', async () => {
    await expect(decodeImage(Buffer.from('hello'), input(3, 8, 8))).rejects.toThrow(
      new DataError(
        'An image of 5 bytes cannot be decoded (Input buffer contains unsupported image format): ' +
          'replace it or leave it out',
      ),
    )
    await expect(decodeImage(join(folder, 'none.png'), input(3, 8, 8))).rejects.toThrow(/none\.png cannot be read/)
    await expect(decodeImage(folder, input(3, 8, 8))).rejects.toThrow(DataError)
  })

  test('refuses 30,000 x 30,000 pixels by name, size and limit', async () => {
    const path = join(folder, 'huge.png')
    await writeFile(path, blackPng(30_000, 30_000))
    await expect(decodeImage(path, input(1, 8, 8))).rejects.toThrow(
      new DataError(`${path} is 30000 x 30000 pixels, over the limit of 100 megapixels: scale it down or leave it out`),
    )
  })

  test('takes an image at the limit', async () => {
    expect([...(await decodeImage(blackPng(10_000, 10_000), input(1, 1, 2)))]).toEqual([0, 0])
    await expect(decodeImage(blackPng(10_000, 10_001), input(1, 1, 2))).rejects.toThrow(DataError)
  })

  test('refuses an input that is no size', async () => {
    for (const bad of [input(3, 0, 8), input(3, 8, 1.5), input(2 as 3, 8, 8)])
      await expect(decodeImage(await solid('red').png().toBuffer(), bad)).rejects.toThrow(UsageError)
  })
})

test('isImageFile goes by the ending, in any case', () => {
  for (const name of ['a.png', 'a.PNG', 'b.Jpg', 'c.jpeg', 'd.WebP', 'with.dots.png', 'folder/x.png', '画.png'])
    expect(isImageFile(name), name).toBe(true)
  for (const name of ['png', '.png', 'a.gif', 'a.png.txt', 'a.png/readme', 'a.pngx', ''])
    expect(isImageFile(name), name).toBe(false)
})

/** A PNG of one bit per pixel, all black: hardly any bytes for any number of pixels. */
function blackPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 1
  const rows = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * height))
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
