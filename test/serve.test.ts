/** `isometry serve`: what it answers, and to whom. */
import { exec, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { expectError, fixture } from './fixture.ts'
import { isometry } from './in-process.ts'
import { ask as askAt, type Body, png, type Running, start, startWith } from './server.ts'

let { at, data, model, dispose } = {} as Awaited<ReturnType<typeof fixture>>
let server: Running
/** Others, which end in their tests, if those succeed. */
const started: Running[] = []
let image: Buffer<ArrayBuffer>

beforeAll(async () => {
  ;({ at, data, model, dispose } = await fixture())
  image = (await readFile(join(data, 'a', '1.png'))) as Buffer<ArrayBuffer>
  server = await startWith(model, data, at('index'))
})
afterAll(async () => {
  for (const { child, ended } of [server, ...started]) {
    child.kill('SIGKILL')
    await ended
  }
  await dispose()
})

const ask = (path: string, options?: RequestInit) => askAt(server, path, options)
const send = (path: string, body: RequestInit['body'] = image, headers: Record<string, string> = png) =>
  ask(path, { method: 'POST', body, headers })

describe('answers', () => {
  test('/embed as the model does', async () => {
    const { status, body } = await send('/embed')
    expect(status).toBe(200)
    const { stderr, code } = await isometry(['embed', model, join(data, 'a', '1.png'), '--out', at('one.jsonl')])
    expect(code, stderr).toBe(0)
    expect(body.embedding).toEqual(JSON.parse(await readFile(at('one.jsonl'), 'utf8')).embedding)
  })

  test('/search as the command does, the image itself among what is found', async () => {
    const form = new FormData()
    form.set('image', new Blob([image], { type: 'image/png' }), 'x.png')
    const sent = await ask("/search?k=4&where=label = 'a'", { method: 'POST', body: form })
    const { stdout } = await isometry([
      'search',
      model,
      join(data, 'a', '1.png'),
      '--index',
      at('index'),
      '-k',
      '3',
      '--where',
      "label = 'a'",
      '--json',
    ])
    const [{ matches }] = JSON.parse(stdout)
    expect(sent.body.matches[0]).toMatchObject({ item: join(data, 'a', '1.png'), label: 'a', path: expect.any(String) })
    expect(sent.body.matches[0]!.distance).toBeCloseTo(0, 5)
    expect(sent.body.matches.slice(1)).toEqual(matches)
  })

  test('/compare by the threshold of the calibration', async () => {
    const form = new FormData()
    form.set('a', new Blob([image]))
    form.set('b', new Blob([(await readFile(join(data, 'a', '2.png'))) as Buffer<ArrayBuffer>]))
    const { body } = await ask('/compare', { method: 'POST', body: form })
    const { stdout } = await isometry(['compare', model, join(data, 'a', '1.png'), join(data, 'a', '2.png'), '--json'])
    expect(body).toEqual(JSON.parse(stdout))
  })

  test('pictures of items by their rows, and nothing else of this machine', async () => {
    const response = await fetch(new URL('/items/0', server.address))
    expect(response.headers.get('content-type')).toBe('image/webp')
    expect(
      Buffer.from(await response.arrayBuffer())
        .subarray(8, 12)
        .toString(),
    ).toBe('WEBP')
    for (const path of [
      '/items/48',
      '/items/-1',
      '/items/x',
      '/items',
      '/items/0/../../etc/passwd',
      '/%2e%2e/etc/passwd',
    ]) {
      expect((await ask(path)).status, path).toBe(404)
    }
  })

  test('/health', async () => {
    expect((await ask('/health')).body).toEqual({ items: 48, metric: 'cosine', waiting: 0 })
  })
})

const hasCurl = spawnSync('curl', ['--version']).status === 0
test.skipIf(!hasCurl)(`what docs/serve.md asks${hasCurl ? '' : ': skipped, there is no curl'}`, async () => {
  const text = await readFile(join(import.meta.dirname, '..', 'docs', 'serve.md'), 'utf8')
  const commands = [...text.matchAll(/^curl .+$/gm)].map(([line]) =>
    line.replace('http://127.0.0.1:4477/', server.address),
  )
  for (const name of ['query.png', 'other.png']) await writeFile(at(name), image)
  const expected = [/^\{"embedding":\[/, /^\{"matches":\[\{"row"/, /^\{"matches":\[/, /^\{"same":true/, /^\{"items":48/]
  expect(commands).toHaveLength(expected.length)
  for (const [i, command] of commands.entries()) {
    const { stdout, stderr } = await promisify(exec)(command, { cwd: at() })
    expect(stdout, `${command}\n${stderr}`).toMatch(expected[i]!)
  }
})

/** What a server answers to a request in this name. */
function statusFor({ address }: Running, host: string): Promise<number | undefined> {
  const { hostname, port } = new URL(address)
  return new Promise((resolve, reject) =>
    httpRequest({ port, host: hostname, path: '/health', headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end(),
  )
}

describe('what a client got wrong is said, with its status', () => {
  const json = { 'content-type': 'application/json' }
  test.each<[string, () => ReturnType<typeof ask>, number, RegExp]>([
    ['no image', () => send('/embed', 'not an image'), 400, /cannot be decoded/],
    ['half an image', () => send('/embed', image.subarray(0, 60)), 400, /cannot be decoded/],
    [
      'a drawing, which is a program',
      () => send('/embed', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', png),
      400,
      /cannot be decoded/,
    ],
    ['nothing', () => send('/embed', ''), 400, /has no body/],
    [
      'a vector for a model of images',
      () => send('/embed', '{"vector":[1,2]}', json),
      400,
      /takes images of .*, found a vector of 2 numbers/,
    ],
    ['no JSON', () => send('/embed', '{', json), 400, /is not JSON/],
    ['no numbers', () => send('/embed', '{"vector":[1,"x"]}', json), 400, /not a list of finite numbers/],
    ['a list', () => send('/embed', '[1]', json), 400, /is not an object/],
    ['no form', () => send('/embed', 'x', { 'content-type': 'multipart/form-data; boundary=y' }), 400, /is not a form/],
    [
      'another type',
      () => send('/embed', 'x', { 'content-type': 'text/plain' }),
      415,
      /The content type is text\/plain; expected image/,
    ],
    ['a long body', () => send('/embed', Buffer.alloc(2 ** 20 + 1)), 413, /more than 1 MiB/],
    ['one to compare', () => send('/compare'), 400, /Send two examples, a and b; found image/],
    ['no number', () => send('/search?k=many'), 400, /k is many; expected a whole number from 1 to 1000/],
    ['no condition', () => send('/search?where=label'), 400, /cannot be read/],
    ['no column', () => send('/search?where=year = 1'), 400, /no column year\. There are item, label, path/],
    ['no path', () => ask('/nothing'), 404, /nothing at \/nothing/],
    ['another method', () => ask('/embed'), 405, /takes POST, found GET/],
    [
      'another site',
      () => ask('/health', { headers: { origin: 'http://example.com' } }),
      403,
      /Pages of http:\/\/example\.com may not ask/,
    ],
  ])('%s', async (_, asked, status, message) => {
    const { status: found, body } = await asked()
    expect(body.error).toMatch(message)
    expect(found).toBe(status)
  })

  test('another name that leads here', async () => {
    expect(await statusFor(server, 'example.com')).toBe(403)
    expect(await statusFor(server, 'localhost')).toBe(200)
  })

  test('a model that is not calibrated, and a port that is taken', async () => {
    const { code, stderr } = await isometry([
      'train',
      data,
      '--out',
      at('plain'),
      '--image-size',
      '12',
      '--grayscale',
      '--steps',
      '2',
      '--dimension',
      '8',
      '--threads',
      '1',
    ])
    expect(code, stderr).toBe(0)
    expectError(await isometry(['serve', at('plain'), '--index', at('index')]), 1, /was filled by another model/)
    expectError(await isometry(['serve', at('plain'), '--index', at('none')]), 1, /There is no index/)
    expectError(
      await isometry(['serve', model, '--index', at('index'), '--port', new URL(server.address).port]),
      1,
      /Cannot listen at 127\.0\.0\.1:\d+: .*--port/,
    )
    await isometry(['index', at('plain'), data, '--out', at('plain.index')])
    // A spelling of loopback that is none of the usual: what counts is where it leads.
    const other = await start(at('plain'), '--index', at('plain.index'), '--host', '127.1')
    started.push(other)
    expect(await statusFor(other, 'example.com')).toBe(403)
    expect(await statusFor(other, '127.1')).toBe(200)
    const form = new FormData()
    for (const name of ['a', 'b']) form.set(name, new Blob([image]))
    const response = await fetch(new URL('/compare', other.address), { method: 'POST', body: form })
    expect([response.status, ((await response.json()) as Body).error]).toEqual([
      409,
      expect.stringMatching(/not calibrated.*isometry calibrate/),
    ])
    form.set('b', new Blob(['no image']))
    const wrong = await fetch(new URL('/compare', other.address), { method: 'POST', body: form })
    expect([wrong.status, ((await wrong.json()) as Body).error]).toEqual([
      400,
      expect.stringMatching(/cannot be decoded/),
    ])
    // Neither who asks nothing nor who asks half of something is waited for.
    for (const half of ['', 'POST /embed HTTP/1.1\r\nhost: 127']) {
      const socket = connect(Number(new URL(other.address).port), '127.0.0.1', () => socket.write(half))
      socket.on('error', () => {})
      await once(socket, 'connect')
    }
    other.child.kill('SIGINT')
    expect(await other.ended).toBe(0)
    expect(other.stderr()).toBe('')
  })
})

test('a gallery of vectors in place of an index, which is gone with the server', async () => {
  const [vectors, adapter] = [at('vectors.safetensors'), at('adapter')]
  for (const args of [
    ['embed', model, data, '--out', vectors],
    ['train', vectors, '--out', adapter, '--steps', '5', '--threads', '1'],
  ]) {
    const { code, stderr } = await isometry(args)
    expect(code, stderr).toBe(0)
  }
  await mkdir(at('tmp'))
  vi.stubEnv('TMPDIR', at('tmp'))
  const other = await start(adapter, '--gallery', vectors)
  started.push(other)
  vi.unstubAllEnvs()
  const json = (path: string, value: object) =>
    askAt(other, path, {
      method: 'POST',
      body: JSON.stringify(value),
      headers: { 'content-type': 'application/json' },
    })
  const vector = (await send('/embed')).body.embedding
  expect((await json('/embed', { vector })).body.embedding).toHaveLength(8)
  const { body } = await json('/search?k=1', { vector })
  expect(body.matches).toMatchObject([{ item: join(data, 'a', '1.png'), label: 'a' }])
  expect(body.matches[0]!.distance).toBeCloseTo(0, 5)
  expect(body.matches[0]).not.toHaveProperty('path')
  expect((await askAt(other, '/items/0')).status).toBe(404)
  expect((await json('/compare', { a: vector, b: vector })).status).toBe(409)
  expect((await json('/embed', { vector: [1, 2] })).body.error).toMatch(/vectors of 8 numbers, found a vector of 2/)
  expect((await askAt(other, '/embed', { method: 'POST', body: image, headers: png })).body.error).toMatch(
    /vectors of 8 numbers, found an image/,
  )
  const kept = async () => (await readdir(at('tmp'))).filter((name) => name.startsWith('isometry-'))
  expect(await kept()).toHaveLength(1)
  other.child.kill('SIGTERM')
  expect(await other.ended).toBe(0)
  expect(await kept()).toEqual([])
})
