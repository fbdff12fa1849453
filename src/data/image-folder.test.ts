import { rmSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, extname, join, relative } from 'node:path'
import sharp, { type FormatEnum } from 'sharp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DataError, InterruptedError, UsageError } from '../errors.ts'
import type { ImageInput } from '../inputs/image.ts'
import { openImageFolder, openImages } from './image-folder.ts'
import { itemsOf } from './source.ts'

const input: ImageInput = { kind: 'image', channels: 3, height: 2, width: 2, resize: 'stretch' }

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'isometry-data-'))
})
afterEach(() => rm(data, { recursive: true }))

const write = async (name: string, content: string | Uint8Array) => {
  await mkdir(dirname(join(data, name)), { recursive: true })
  await writeFile(join(data, name), content)
}
const image = (gray: number) =>
  sharp({ create: { width: 4, height: 4, channels: 3, background: { r: gray, g: gray, b: gray } } })
/** Writes images of different grays, in the format of their ending. */
const writeImages = async (...names: string[]) => {
  for (const [i, name] of names.entries()) {
    const format = extname(name).slice(1).toLowerCase() as keyof FormatEnum
    await write(name, await image(i).toFormat(format, { lossless: true }).toBuffer())
  }
}

const open = async (...paths: string[]) => {
  const warnings: string[] = []
  const options = { input, warn: (message: string) => warnings.push(message) }
  const images = await (paths.length === 0 ? openImageFolder(data, options) : openImages(paths, options))
  const found = itemsOf(images).map((path, row) => [relative(data, path), images.classes[images.labels[row]!]])
  return { images, found, warnings }
}

describe('openImageFolder', () => {
  test('sorts by the path below the folder; the class is the path of the folder, however deep', async () => {
    await writeImages('b/2.png', 'b/10.png', 'a/c/1.png', 'a/1.png', 'B/1.png', 'loose.png', 'a-/1.png')
    const { images, found, warnings } = await open()
    expect(found).toEqual([
      ['B/1.png', 'B'],
      ['a-/1.png', 'a-'],
      ['a/1.png', 'a'],
      ['a/c/1.png', 'a/c'],
      ['b/10.png', 'b'],
      ['b/2.png', 'b'],
      ['loose.png', undefined],
    ])
    expect(images.classes).toEqual(['B', 'a', 'a-', 'a/c', 'b'])
    expect([...images.labels]).toEqual([0, 2, 1, 3, 4, 4, -1])
    expect(images.length).toBe(7)
    expect(images.input).toBe(input)
    expect(warnings).toEqual([])
  })

  test('reads rows in the order that is asked for, into a fresh array', async () => {
    await writeImages('a/0.png', 'a/1.png', 'b/2.png')
    const { images } = await open()
    const { data: batch, shape, dtype } = await images.read([2, 0, 2])
    expect([dtype, shape]).toEqual(['uint8', [3, 3, 2, 2]])
    expect([...batch]).toEqual([...Array(12).fill(2), ...Array(12).fill(0), ...Array(12).fill(2)])
    ;(batch as Uint8Array).fill(9)
    expect([...(await images.read(Int32Array.of(2))).data]).toEqual(Array(12).fill(2))
    expect((await images.read([])).data).toEqual(new Uint8Array(0))
    for (const row of [3, -1, 0.5]) await expect(images.read([row])).rejects.toThrow(UsageError)
  })

  test('knows PNG, JPEG and WebP by their ending, in any case, and ignores other and hidden files', async () => {
    const images = ['a/1.PNG', 'a/2.JPG', 'a/3.jpeg', 'a/4.WebP', 'a/5.jpg']
    await writeImages(...images, 'a/.hidden.png', '.hidden/1.png', 'a/.git/b/1.png', 'a/gif.gif')
    await write('a/notes.txt', 'hello')
    const { found, warnings } = await open()
    expect(found).toEqual(images.map((name) => [name, 'a']))
    expect(warnings).toEqual([])
  })

  test('takes names in any script, with spaces, and folders that end like images', async () => {
    await writeImages('Ελληνικά/άλφα/x y.png', '日本語/画像.png', '🙂.png/1.png')
    const { found } = await open()
    expect(found).toEqual([
      ['Ελληνικά/άλφα/x y.png', 'Ελληνικά/άλφα'],
      ['日本語/画像.png', '日本語'],
      ['🙂.png/1.png', '🙂.png'],
    ])
  })

  test('names what it cannot decode in a warning, and skips it', async () => {
    await writeImages('a/1.png', 'b/1.png', 'c/1.png')
    await write('a/0-text.png', 'hello')
    await write('b/2-cut.png', (await image(200).png().toBuffer()).subarray(0, 60))
    await write('c/1.png', '')
    const { images, found, warnings } = await open()
    expect(found.map(([name]) => name)).toEqual(['a/1.png', 'b/1.png'])
    expect(images.classes).toEqual(['a', 'b'])
    expect(warnings).toHaveLength(3)
    for (const [i, name] of ['a/0-text.png', 'b/2-cut.png', 'c/1.png'].entries())
      expect(warnings[i]).toMatch(new RegExp(`^${join(data, name)} cannot be decoded .*\\(left out\\)$`))
  })

  test('refuses a folder in which nothing can be decoded: how many files, and why', async () => {
    await write('a/1.png', 'hello')
    await write('a/2.png', 'hello')
    await expect(open()).rejects.toThrow(DataError)
    await expect(open()).rejects.toThrow(/images found \(2\).* The first: \S+1\.png cannot be decoded \(.*format\)/)
  })

  test('refuses an empty folder, and one without images', async () => {
    await expect(open()).rejects.toThrow(/holds no images: found no files/)
    await write('a/.hidden.png', 'hello')
    await mkdir(join(data, 'empty'))
    await expect(open()).rejects.toThrow(/holds no images: found no files/)
    await write('b/notes.txt', 'hello')
    await write('b/a.gif', 'hello')
    await expect(open()).rejects.toThrow(DataError)
    await expect(open()).rejects.toThrow(
      /found other files only \(2, such as b\/a\.gif\).*expected files ending in \.png/,
    )
  })

  test('refuses what is not there, and what is a file', async () => {
    await writeImages('a.png')
    const refusal = (name: string) => openImageFolder(join(data, name), { input }).catch((error) => error)
    expect(await refusal('none')).toEqual(
      new DataError(`${join(data, 'none')} does not exist: expected a folder of images`),
    )
    expect(await refusal('a.png')).toEqual(
      new DataError(`${join(data, 'a.png')} is not a folder: expected a folder of images`),
    )
    expect(await refusal('a.png/b')).toBeInstanceOf(DataError)
    expect(await openImageFolder('', { input }).catch((error) => error)).toBeInstanceOf(DataError)
  })

  test.skipIf(process.platform === 'win32')('follows links, but never round in circles', async () => {
    await writeImages('a/1.png', 'b/deep/2.png')
    await symlink('../b', join(data, 'a/link'))
    await symlink('../a', join(data, 'b/back'))
    await symlink('.', join(data, 'self'))
    await symlink('..', join(data, 'a/up'))
    await symlink(dirname(data), join(data, 'above'))
    await symlink('1.png', join(data, 'a/same.png'))
    const { found, warnings } = await open()
    expect(found.map(([name]) => name)).toEqual([
      'a/1.png',
      'a/link/deep/2.png',
      'a/same.png',
      'b/back/1.png',
      'b/back/same.png',
      'b/deep/2.png',
    ])
    expect(warnings).toEqual([])
  })

  test.skipIf(process.platform === 'win32')('warns about links that lead nowhere', async () => {
    await writeImages('a/1.png')
    await symlink('gone.png', join(data, 'a/dangling.png'))
    await symlink('own', join(data, 'own'))
    const { images, warnings } = await open()
    expect(images.length).toBe(1)
    expect(warnings.sort()).toEqual([
      expect.stringMatching(/a\/dangling\.png cannot be read \(ENOENT.*: left out$/),
      expect.stringMatching(/own cannot be read \(ELOOP.*: left out$/),
    ])
  })

  test.skipIf(process.platform === 'win32')('warns about what it may not read, and refuses such a folder', async () => {
    await writeImages('a/1.png', 'a/2.png', 'secret/1.png')
    await chmod(data, 0o755)
    await chmod(join(data, 'a/2.png'), 0)
    await chmod(join(data, 'secret'), 0)
    const { images, warnings } = await withoutPrivileges(open)
    expect(images.length).toBe(1)
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toMatch(/secret cannot be read \(EACCES/)
    expect(warnings[1]).toMatch(/2\.png cannot be read \(EACCES/)

    const refusal = withoutPrivileges(() => openImageFolder(join(data, 'secret'), { input }))
    await expect(refusal).rejects.toThrow(DataError)
    await chmod(join(data, 'secret'), 0o755)
  })

  test.skipIf(process.platform === 'win32')('skips a file that vanishes after it was listed', async () => {
    await writeImages('a/1.png', 'a/2.png')
    await symlink('gone', join(data, 'a/dangling'))
    const warnings: string[] = []
    const warn = (message: string) => {
      warnings.push(message)
      // The folder has been listed when this link is looked at, and nothing has been decoded.
      if (message.includes('dangling')) rmSync(join(data, 'a/2.png'))
    }
    const images = await openImageFolder(data, { input, warn })
    expect(itemsOf(images)).toEqual([join(data, 'a/1.png')])
    expect(warnings).toEqual([
      expect.stringContaining('dangling'),
      expect.stringMatching(/2\.png cannot be read \(ENOENT/),
    ])
  })

  test('stops when it is told to', async () => {
    await writeImages('a/1.png', 'a/2.png')
    const options = { input, signal: AbortSignal.abort() }
    await expect(openImageFolder(data, options)).rejects.toThrow(InterruptedError)
    await expect(openImages([join(data, 'a/1.png')], options)).rejects.toThrow(InterruptedError)
  })

  test('blames an impossible input on the caller, not on the files', async () => {
    await writeImages('a/1.png')
    await expect(openImageFolder(data, { input: { ...input, width: 0 } })).rejects.toThrow(UsageError)
  })
})

describe('openImages', () => {
  test('keeps the order of the arguments, and sorts within folders', async () => {
    await writeImages('one/b/1.png', 'one/a/1.png', 'two/b/1.png', 'two/0/1.png', 'x.png')
    const { images, found } = await open(join(data, 'two'), join(data, 'x.png'), join(data, 'one'), join(data, 'x.png'))
    expect(found).toEqual([
      ['two/0/1.png', '0'],
      ['two/b/1.png', 'b'],
      ['x.png', undefined],
      ['one/a/1.png', 'a'],
      ['one/b/1.png', 'b'],
      ['x.png', undefined],
    ])
    expect(images.classes).toEqual(['0', 'a', 'b'])
  })

  test('refuses an image asked for by name that cannot be decoded or is not there', async () => {
    await writeImages('a/1.png')
    await write('a/2.png', 'hello')
    expect((await open(join(data, 'a'))).warnings).toHaveLength(1)
    await expect(open(join(data, 'a'), join(data, 'a/2.png'))).rejects.toThrow(DataError)
    await expect(open(join(data, 'a/1.png'), join(data, 'none.png'))).rejects.toThrow(/none\.png does not exist/)
    await expect(openImages([], { input })).rejects.toThrow(UsageError)
  })

  test('reads a folder as openImageFolder does', async () => {
    await writeImages('a/1.png', 'b/1.png', '0.png')
    const [one, other] = [await open(), await open(data)]
    expect(other.images.fingerprint).toBe(one.images.fingerprint)
    expect(itemsOf(other.images)).toEqual(itemsOf(one.images))
    expect(other.images.labels).toEqual(one.images.labels)
  })
})

/** Runs as a user who is not root, who could read everything. */
async function withoutPrivileges<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65534)
  try {
    return await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}
