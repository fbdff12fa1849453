/** The report in a real browser: nothing errs or is asked of the network, every picture loads, names are text. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, launch } from './chromium.ts'
import { expectError, fixture, quick } from './fixture.ts'
import { writeImages } from './images.ts'
import { isometry } from './in-process.ts'

const hostile = '<script>alert(1)<_script>'
const executable = chromiumPath()
const artefacts = join(import.meta.dirname, 'artefacts')
if (!executable) console.warn('No Chromium on the PATH or in CHROMIUM: the report is not looked at in a browser')

let { at, data, model, dispose } = {} as Awaited<ReturnType<typeof fixture>>
let file: string
/** What is on a page, without its script, which is long. */
async function read(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).replace(/<script>[\s\S]*<\/script>/, '')
}

beforeAll(async () => {
  ;({ at, data, model, dispose } = await fixture())
  file = at('report.html')
  await writeImages(at('odd'), ['a', 'b', 'c', hostile, '"><img src=x onerror=alert(1)>'], 5)
  const { code, stderr } = await isometry(['report', model, at('odd'), '--out', file])
  expect(code, stderr).toBe(0)
})
afterAll(() => dispose())

test('is the same bytes again, and its names are text', async () => {
  const bytes = await readFile(file)
  await isometry(['report', model, at('odd'), '--out', file])
  expect(bytes.equals(await readFile(file))).toBe(true)
  const text = await read(file)
  expect(text).toContain('&lt;script&gt;alert(1)&lt;_script&gt;')
  expect(text).not.toContain('<script>alert')
  expect(text).not.toContain('<img src=x')
  expect(text).not.toMatch(/(src|href)="(?!data:)/)
  expect(text).toContain(`isometry train --config ${join(model, 'config.json')}`)
})

describe.skipIf(!executable)('in Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(executable!)
    await mkdir(artefacts, { recursive: true })
  })
  afterAll(() => browser.close())

  async function open(look: object): Promise<{ page: Page; errors: string[] }> {
    const page = await browser.newPage(look)
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    page.on('dialog', (dialog) => errors.push(`dialog ${dialog.message()}`))
    page.on('request', (request) => !/^(file|data):/.test(request.url()) && errors.push(request.url()))
    await page.goto(pathToFileURL(file).href)
    await page.waitForSelector('#map svg path')
    return { page, errors }
  }

  test.each([
    ['light', { colorScheme: 'light', viewport: { width: 1200, height: 900 } }],
    ['dark', { colorScheme: 'dark', viewport: { width: 1200, height: 900 } }],
    ['phone', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
  ] as const)('%s: every picture loads, nothing errs, nothing is wider than the screen', async (name, look) => {
    const { page, errors } = await open(look)
    const broken = '[...document.images].filter((each) => !each.complete || each.naturalWidth === 0).length'
    expect(await page.evaluate(broken)).toBe(0)
    expect(await page.evaluate('document.images.length')).toBeGreaterThan(20)
    for (const id of ['map', 'histogram', 'roc', 'loss', 'distances']) {
      expect(await page.locator(`#${id} svg path`).count(), id).toBeGreaterThan(1)
    }
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(look.viewport.width)
    await page.screenshot({ path: join(artefacts, `report-${name}.png`), fullPage: true })
    expect(errors).toEqual([])
    await page.close()
  })

  test('hovering a point shows its image and its label', async () => {
    const { page, errors } = await open({ viewport: { width: 1200, height: 900 } })
    await page.locator('#map').scrollIntoViewIfNeeded()
    const seen = new Set<string>()
    const points = page.locator('#map svg path')
    for (let i = 0; i < (await points.count()); i++) {
      const box = await points.nth(i).boundingBox()
      if (!box || box.width > 30) continue
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
      await page.waitForTimeout(60)
      const tip = page.locator('.tip')
      if ((await tip.count()) === 0) continue
      const width =
        'document.querySelector(".tip img").decode().then(() => document.querySelector(".tip img").naturalWidth)'
      expect(await page.evaluate(width)).toBe(12)
      seen.add((await tip.locator('b').textContent())!)
    }
    expect([...seen]).toContain(hostile)
    await page.screenshot({ path: join(artefacts, 'report-hover.png') })
    expect(errors).toEqual([])
    await page.close()
  })
})

test('without data it shows what was held out; without that, what is known of training, and says so', async () => {
  const held = await isometry(['report', model])
  expect(held.code, held.stderr).toBe(0)
  expect(held.stdout).toContain(join(model, 'report.html'))
  expect(await read(join(model, 'report.html'))).toMatch(/12 images[\s\S]*of 2 classes/)
  await rename(data, `${data}.away`)
  try {
    const gone = await isometry(['report', model])
    expect(gone.code).toBe(0)
    expect(gone.stderr).toMatch(/12 held-out items cannot be opened/)
    const text = await read(join(model, 'report.html'))
    expect(text).toContain('held-out items cannot be opened')
    expect(text).toContain('id="loss"')
    expect(text).not.toContain('id="map"')
  } finally {
    await rename(`${data}.away`, data)
  }
})

test('train offers it, and writes it where it is asked to; a calibrated threshold is the one that is marked', async () => {
  const plain = await isometry(['train', data, '--out', at('plain'), ...quick])
  expect(plain.stdout).toContain(`To look at it: isometry report ${at('plain')}`)
  const out = at('reported')
  const trained = await isometry(['train', data, '--out', out, ...quick, '--report', '--json'])
  const { report } = JSON.parse(trained.stdout)
  expect(report).toBe(join(out, 'report.html'))
  const text = await read(report)
  expect(text).toContain(`isometry train --config ${join(out, 'config.json')}`)
  // What training knew of the held-out items, their files say again.
  await isometry(['report', out])
  expect(await read(report)).toBe(text)
  const { code, stderr } = await isometry(['calibrate', out, data, '--false-positive-rate', '0.1'])
  expect(code, stderr).toBe(0)
  await isometry(['report', out])
  expect(await read(report)).toContain('calibrated to a false positive rate of 0.1')
})

test('of boxes, the parts are shown, and measured as training did', async () => {
  await mkdir(at('sheets'), { recursive: true })
  const rows: string[] = []
  for (const label of ['a', 'b', 'c', 'd', 'e', 'h']) {
    const files = await Promise.all([0, 1, 2, 3, 4, 5].map((i) => readFile(join(data, label, `${i}.png`))))
    await sharp({ create: { width: 72, height: 12, channels: 3, background: 'white' } })
      .composite(files.map((input, i) => ({ input, left: 12 * i, top: 0 })))
      .png()
      .toFile(at('sheets', `${label}.png`))
    rows.push(...files.map((_, i) => `sheets/${label}.png,${label},${12 * i},0,12,12,${i % 2}`))
  }
  await writeFile(at('boxes.csv'), ['path,label,x,y,width,height,camera', ...rows].join('\n'))
  const out = at('boxed')
  const trained = await isometry(['train', at('boxes.csv'), '--out', out, ...quick, '--hold-out-classes', '0.4'])
  expect(trained.code, trained.stderr).toBe(0)
  for (const args of [[out], [out, at('boxes.csv')]]) {
    const { code, stderr } = await isometry(['report', ...args])
    expect(code, stderr).toBe(0)
    const text = await read(join(out, 'report.html'))
    const [picture] = /data:image\/webp;base64,([\w+/=]+)/.exec(text)!.slice(1)
    const { width, height } = await sharp(Buffer.from(picture!, 'base64')).metadata()
    expect([width, height]).toEqual([12, 12])
    // The held-out parts give the figures of training again, beside those before it.
    expect(/untrained \d/.test(text)).toBe(args.length === 1)
  }
})

test('examples held out are compared with those trained on, as training did', async () => {
  const out = at('closed')
  const trained = await isometry(['train', data, '--out', out, ...quick, '--hold-out-examples', '0.3', '--report'])
  expect(trained.code, trained.stderr).toBe(0)
  const text = await read(join(out, 'report.html'))
  expect(text).toMatch(/Looked at with 16 images of 8 classes, compared with 32 others/)
  expect(text).toMatch(/untrained \d/)
  expect(text).toMatch(/of 16 queries and 32 items/)
  expect((await isometry(['report', out])).code).toBe(0)
  expect(await read(join(out, 'report.html'))).toBe(text)
  // A query whose files are gone is missed; the others are still compared with the gallery.
  const { heldOut } = JSON.parse(await readFile(join(out, 'isometry.json'), 'utf8'))
  expect(heldOut.gallery.items).toHaveLength(32)
  await rename(heldOut.items[0], `${heldOut.items[0]}.away`)
  try {
    const { stderr } = await isometry(['report', out])
    expect(stderr).toMatch(/1 of the 48 held-out items and those they are compared with are no longer there/)
  } finally {
    await rename(`${heldOut.items[0]}.away`, heldOut.items[0])
  }
})

test('vectors have no pictures, and a map with their names all the same', async () => {
  const [vectors, adapter] = [at('vectors.safetensors'), at('adapter')]
  expect((await isometry(['embed', model, data, '--out', vectors])).code).toBe(0)
  const trained = await isometry(['train', vectors, '--out', adapter, '--steps', '5', '--threads', '1'])
  expect(trained.code, trained.stderr).toBe(0)
  const { code, stderr } = await isometry(['report', adapter, vectors])
  expect(code, stderr).toBe(0)
  const text = await read(join(adapter, 'report.html'))
  expect(text).toContain('id="map"')
  expect(text).not.toContain('<img')
  const bare = await isometry(['report', adapter])
  expect(bare.stderr).toMatch(/held-out items cannot be opened from here/)
})

test('data that is not there, and a file that cannot be written, are named', async () => {
  expectError(await isometry(['report', model, at('nothing')]), 1, /nothing does not exist/)
  expectError(await isometry(['report', model, data, '--out', at('no', 'such', 'r.html')]), 1, /Cannot write/)
})
