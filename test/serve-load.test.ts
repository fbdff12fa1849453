/** What `isometry serve` stands, and its page. */
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { random } from '../src/random.ts'
import { chromiumPath, launch } from './chromium.ts'
import { fixture } from './fixture.ts'
import { writeImages } from './images.ts'
import { ask as askAt, png, type Running, startWith } from './server.ts'

const strange = '<script>window.hacked = 1<\u2044script>'
let { at, data, model, dispose } = {} as Awaited<ReturnType<typeof fixture>>
let server: Running
let image: Buffer<ArrayBuffer>

beforeAll(async () => {
  ;({ at, data, model, dispose } = await fixture())
  await writeImages(data, [strange], 3)
  image = (await readFile(join(data, 'a', '1.png'))) as Buffer<ArrayBuffer>
  server = await startWith(model, data, at('index'))
})
afterAll(async () => {
  server.child.kill('SIGKILL')
  await server.ended
  await dispose()
})

const ask = (path: string, options?: RequestInit) => askAt(server, path, options)
const send = (path: string, body: RequestInit['body'] = image, headers: Record<string, string> = png) =>
  ask(path, { method: 'POST', body, headers })

describe('stands', () => {
  /** Sends bytes, and gives up on the connection after some milliseconds. */
  function raw(bytes: string | Buffer, patience: number): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(Number(new URL(server.address).port), '127.0.0.1', () => socket.write(bytes))
      socket.on('error', () => {})
      socket.on('close', () => resolve())
      socket.resume()
      void setTimeout(patience).then(() => socket.destroy())
    })
  }

  test('200 clients at once that send garbage, half of a request, too much, too slowly, or leave', async () => {
    const { integer, uniform } = random(5, 'clients')
    const head = (length: number | string) =>
      `POST /embed HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: image/png\r\ncontent-length: ${length}\r\n\r\n`
    const noise = (length: number) => Buffer.from(Array.from({ length }, () => integer(256)))
    const abuses: (() => Promise<unknown>)[] = [
      // Garbage in place of HTTP.
      () => raw(noise(1 + integer(4000)), 1500),
      // Connections that say nothing, or half a head.
      () => raw('', 1500),
      () => raw('POST /embed HTTP/1.1\r\nhost: 127', 1500),
      // Bodies that never come, end early, are longer than they say, or no length at all.
      () => raw(head(5000), 1500),
      () => raw(Buffer.concat([Buffer.from(head(image.length)), image.subarray(0, 40)]), integer(300)),
      () => raw(Buffer.concat([Buffer.from(head(10)), image]), 1500),
      () => raw(head('many'), 1500),
      () =>
        raw(
          `POST /embed HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\ncontent-type: image/png\r\n\r\nzz\r\n`,
          1500,
        ),
      () => raw(`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`, 1500),
      // Too long, and images that are none.
      () => send('/embed', Buffer.alloc(2 ** 20 + integer(2 ** 20))).catch(() => {}),
      () => send('/embed', noise(1 + integer(2000))).catch(() => {}),
      () => send('/search', Buffer.concat([image.subarray(0, 30), noise(500)])).catch(() => {}),
      // Those who leave before they are answered.
      () =>
        ask('/search', {
          method: 'POST',
          body: image,
          headers: png,
          signal: AbortSignal.timeout(1 + integer(30)),
        }).catch(() => {}),
    ]
    const good = Array.from({ length: 40 }, async () => {
      await setTimeout(uniform(0, 1200))
      const { status, headers, body } = await send('/search?k=3')
      if (status === 200) expect(body.matches).toHaveLength(3)
      else expect([status, headers.get('retry-after')]).toEqual([429, '1'])
      return status
    })
    await Promise.all(Array.from({ length: 200 }, (_, i) => abuses[i % abuses.length]!()))
    const statuses = await Promise.all(good)
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0)

    expect((await send('/search?k=3')).status).toBe(200)
    expect((await ask('/health')).body.waiting).toBe(0)
    expect(server.child.exitCode).toBeNull()
    expect(server.stderr()).toBe('')
  })

  test('more at once than may wait: some are told to come again, none is lost', async () => {
    const statuses = (await Promise.all(Array.from({ length: 100 }, () => send('/search?k=3')))).map(
      ({ status }) => status,
    )
    expect(new Set(statuses)).toEqual(new Set([200, 429]))
    expect((await send('/search?k=3')).status).toBe(200)
  })
})

const path = chromiumPath()
describe.skipIf(path === undefined)(
  `the page${path ? '' : ': skipped, there is no Chromium (apt-get install chromium)'}`,
  () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await launch(path!)
    })
    afterAll(() => browser.close())

    test('shows the neighbours of an image that is dropped, and runs nothing of theirs', async () => {
      const page = await browser.newPage()
      const complaints: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(String(error)))
      await page.goto(server.address)
      const bytes = [...(await readFile(join(data, strange, '0.png')))]
      const dropped = await page.evaluateHandle(`(() => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([new Uint8Array([${bytes}])], 'x.png', { type: 'image/png' }))
      return transfer
    })()`)
      await page.dispatchEvent('#drop', 'drop', { dataTransfer: dropped })
      await page.waitForSelector('#found figure')
      const areLoaded = `[...document.querySelectorAll('img')].every((each) => each.complete && each.naturalWidth > 0)`
      await expect.poll(() => page.evaluate(areLoaded)).toBe(true)
      expect(await page.locator('#found figure').count()).toBe(12)
      expect(await page.locator('#found figcaption').first().textContent()).toBe(`${strange}✓ 0.0000`)
      expect(await page.evaluate('window.hacked')).toBeUndefined()

      await page.fill('#k', '2')
      await page.fill('#where', "label = 'b'")
      await page.click('button')
      await expect.poll(() => page.locator('#found figure').count()).toBe(2)
      await page.fill('#where', 'colour = 1')
      await page.click('button')
      await page.waitForSelector('#said.wrong')
      expect(await page.textContent('#said')).toMatch(/no column colour/)
      // The refusal itself is all that the browser has to say.
      expect(complaints.filter((each) => !/status of 400/.test(each))).toEqual([])
      await page.setViewportSize({ width: 390, height: 800 })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
      await page.close()
    })
  },
)
