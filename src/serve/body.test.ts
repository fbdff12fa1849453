import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type Budget, readExamples } from './body.ts'

const MIB = 2 ** 20

/** A request as Node hands it on, with its body in pieces. */
function request(type: string | undefined, ...chunks: (string | Uint8Array)[]): IncomingMessage {
  const message = new IncomingMessage(new Socket())
  if (type !== undefined) message.headers['content-type'] = type
  for (const chunk of chunks) message.push(chunk)
  message.push(null)
  return message
}

const budget = (perBody = 10 * MIB): Budget => ({ perBody, together: 2 * perBody, held: 0 })
const form = (boundary: string, ...parts: string[]) =>
  `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`
const file = (name: string, text: string) =>
  `content-disposition: form-data; name="${name}"; filename="x.png"\r\ncontent-type: image/png\r\n\r\n${text}`

describe('examples', () => {
  const bytes = (text: string) => ({ image: new TextEncoder().encode(text) })
  test.each([
    ['image/png', 'pixels', { image: bytes('pixels') }],
    ['application/octet-stream', 'pixels', { image: bytes('pixels') }],
    ['Application/JSON; charset=utf-8', '{"a":[1,2],"b":[3]}', { a: { vector: [1, 2] }, b: { vector: [3] } }],
    [
      'multipart/form-data; boundary=xyz',
      form('xyz', file('a', 'A'), file('b', 'B')),
      { a: bytes('A'), b: bytes('B') },
    ],
    [
      'multipart/form-data; boundary="x y"',
      form('x y', 'content-disposition: form-data; name="vector"\r\n\r\n[1, 2]'),
      { vector: { vector: [1, 2] } },
    ],
  ])('of %s', async (type, body, expected) => {
    const { examples } = await readExamples(request(type, body), budget())
    const plain = [...examples].map(([name, example]) => [
      name,
      'image' in example ? { image: Uint8Array.from(example.image) } : example,
    ])
    expect(Object.fromEntries(plain)).toEqual(expected)
  })

  test.each<[string | undefined, string, number, RegExp]>([
    [undefined, 'x', 415, /missing; expected image/],
    ['text/html', 'x', 415, /text\/html/],
    ['image/png', '', 400, /has no body/],
    ['application/json', '{"vector":[1e999]}', 400, /not a list of finite numbers/],
    ['application/json', `{"vector":[${'1,'.repeat(MIB / 2)}1]}`, 413, /more than 1 MiB.*fewer numbers/],
    ['application/json', '['.repeat(MIB - 1), 400, /more than lists of numbers/],
    ['multipart/form-data', 'x', 400, /not a form/],
    ['multipart/form-data; boundary=xyz', form('xyz', ...Array(9).fill(file('a', ''))), 400, /more than 8 parts/],
  ])('not of %s: %#', async (type, body, status, message) => {
    const held = budget()
    await expect(readExamples(request(type, body), held)).rejects.toMatchObject({
      status,
      message: expect.stringMatching(message),
    })
    expect(held.held).toBe(0)
  })
})

test('bodies are counted together while they are held, and those too many are told to come again', async () => {
  const held = budget(100)
  const first = await readExamples(request('image/png', Buffer.alloc(60), Buffer.alloc(40)), held)
  expect(held.held).toBe(100)
  await expect(readExamples(request('image/png', Buffer.alloc(60), Buffer.alloc(60)), held)).rejects.toMatchObject({
    status: 413,
  })
  const second = await readExamples(request('image/png', Buffer.alloc(80)), held)
  await expect(readExamples(request('image/png', Buffer.alloc(30)), held)).rejects.toMatchObject({ status: 429 })
  first.release()
  second.release()
  second.release()
  expect(held.held).toBe(0)
})
