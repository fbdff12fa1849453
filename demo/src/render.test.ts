/** The demo's images: all there, none blank, cut off, drawn by another font or found twice, and the same every time. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { byCharacter, byTypeface } from './characters.ts'
import { fontFamily, hasGlyph, side } from './draw.ts'
import { type Count, renderImages } from './render.ts'
import { typefaces } from './typefaces.ts'

let folder: string
let counts: Count[]
/** The bytes of each image, by its path. */
let images: Map<string, Buffer>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isometry-images-'))
  counts = await renderImages(folder)
  images = await readImages(folder)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test('every image that is counted is there', () => {
  expect(counts).toEqual([
    { tree: 'by-character/train', images: 52 * 25, classes: 52 },
    { tree: 'by-character/test', images: 46 * 25, classes: 46 },
    { tree: 'by-typeface/train', images: 20 * 137, classes: 20 },
    { tree: 'by-typeface/test', images: 5 * 137, classes: 5 },
  ])
  for (const { tree, images: count, classes } of counts) {
    const paths = [...images.keys()].filter((path) => path.startsWith(tree))
    expect(paths).toHaveLength(count)
    expect(new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))))).toHaveLength(classes)
  }
})

test('paths are plain, and differ where upper and lower case are one', () => {
  for (const path of images.keys()) expect(path).toMatch(/^[\w/-]+\.png$/)
  expect(new Set([...images.keys()].map((path) => path.toLowerCase()))).toHaveLength(images.size)
})

test('every image is grey, has ink in its middle and none on its edge', async () => {
  for (const [path, image] of images) {
    if (!path.startsWith('by-typeface')) continue // which holds every image
    const [bitDepth, colourType] = image.subarray(24)
    expect({ bitDepth, colourType }, path).toEqual({ bitDepth: 8, colourType: 0 })
    const { data, info } = await sharp(image).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels], path).toEqual([side, side, 1])
    const inked = [...data.entries()].filter(([, grey]) => grey > 64).map(([pixel]) => pixel)
    for (const positions of [inked.map((pixel) => pixel % side), inked.map((pixel) => Math.floor(pixel / side))]) {
      const [first, last] = [Math.min(...positions), Math.max(...positions)]
      expect(first, path).toBeGreaterThan(0)
      expect(last, path).toBeLessThan(side - 1)
      expect(Math.abs(first + last - (side - 1)), path).toBeLessThanOrEqual(2)
    }
  }
})

test('no two images of different classes are the same', () => {
  for (const { tree } of counts) {
    const classes = new Map<string, string>()
    for (const [path, image] of images) {
      if (!path.startsWith(tree)) continue
      const content = image.toString('base64')
      const label = path.slice(0, path.lastIndexOf('/'))
      expect(classes.get(content) ?? label, path).toBe(label)
      classes.set(content, label)
    }
  }
})

test('no typeface borrows a character from another font', () => {
  for (const typeface of typefaces) {
    const [one, other] = typefaces.filter(({ name }) => name !== typeface.name)
    for (const { script, text } of byTypeface) {
      const fallbacks = [fontFamily(one!, script), fontFamily(other!, script)] as const
      expect(hasGlyph(fontFamily(typeface, script), text, fallbacks), `${typeface.name} ${text}`).toBe(true)
    }
  }
  const [cyrillic, one, other] = [typefaces[0]!, typefaces[1]!, typefaces[2]!].map((t) => fontFamily(t, 'Cyrillic'))
  expect(hasGlyph(fontFamily(typefaces[0]!, 'Latin'), 'Ж', [cyrillic!, one!]), 'a Latin font').toBe(false)
  expect(hasGlyph(cyrillic!, 'Ж', [one!, other!]), 'a Cyrillic font').toBe(true)
})

test('what is for testing is never seen in training', () => {
  const texts = new Set(byCharacter.train.map(({ text }) => text))
  expect(byCharacter.test.filter(({ text }) => texts.has(text))).toEqual([])
  expect(new Set(typefaces.map(({ name }) => name))).toHaveLength(typefaces.length)
})

test('another rendering makes the same bytes', async () => {
  await rm(join(folder, 'version.txt'))
  await renderImages(folder)
  const again = await readImages(folder)
  expect([...again.keys()]).toEqual([...images.keys()])
  // `toEqual` would look at each byte of them.
  expect([...again].filter(([path, image]) => !image.equals(images.get(path)!)).map(([path]) => path)).toEqual([])
})

test('what is rendered already stays as it is', async () => {
  const path = join(folder, [...images.keys()][0]!)
  await rm(path)
  expect(await renderImages(folder)).toEqual(counts)
  await expect(readFile(path)).rejects.toThrow('ENOENT')
})

async function readImages(root: string): Promise<Map<string, Buffer>> {
  const paths = (await readdir(root, { recursive: true })).filter((path) => path.endsWith('.png')).sort()
  return new Map(
    await Promise.all(
      paths.map(async (path) => [path.replaceAll('\\', '/'), await readFile(join(root, path))] as const),
    ),
  )
}
