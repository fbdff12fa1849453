import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { watchConnections } from './connections.ts'

test('what was asked is answered to the end; nobody else is waited for', async () => {
  const server = createServer()
  const close = watchConnections(server)
  const whole: ServerResponse[] = []
  server.on('request', (request, response) => {
    request.on('error', () => {})
    if (request.method === 'GET') whole.push(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const received = new Map<Socket, string>()
  async function client(bytes: string): Promise<Socket> {
    const socket = connect(port, '127.0.0.1')
    received.set(socket, '')
    socket.on('error', () => {})
    socket.on('data', (chunk) => received.set(socket, received.get(socket) + String(chunk)))
    await once(socket, 'connect')
    if (bytes !== '') socket.write(bytes)
    return socket
  }
  const silent = await client('')
  const halfHead = await client('GET / HTTP/1.1\r\nhost: x')
  const halfBody = await client('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nab')
  const asking = await client('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await expect.poll(() => whole.length).toBe(1)

  const ends = [silent, halfHead, halfBody, asking].map((socket) => once(socket, 'close'))
  const closed = close()
  await Promise.all(ends.slice(0, 2))
  expect(received.get(asking)).toBe('')
  whole[0]!.end('the answer')
  await Promise.all([...ends, closed])
  expect(received.get(asking)).toMatch(/the answer$/)
  expect(received.get(halfBody)).toBe('')
})
