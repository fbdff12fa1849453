/** Who is connected, and whose requests are being answered: the others are not waited for when the server ends. */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/** Milliseconds in which a request that is still coming may come to its end. */
const PATIENCE = 2000

/**
 * Watches the connections of a server that does not listen yet.
 *
 * @returns a function that takes no more connections, lets what was asked be answered, and resolves when all have ended. Those who
 *   have not asked are cut off at once, those who are halfway after two seconds: Node itself would wait for them without end.
 */
export function watchConnections(server: Server): () => Promise<void> {
  const sockets = new Set<Socket>()
  const asked = new Set<IncomingMessage>()
  let isClosing = false
  const isIdle = (socket: Socket) => ![...asked].some((request) => request.socket === socket)

  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('request', (request, response) => {
    const { socket } = request
    asked.add(request)
    response.on('close', () => {
      asked.delete(request)
      if (isClosing && isIdle(socket)) socket.end()
    })
  })

  return async () => {
    isClosing = true
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) if (isIdle(socket)) socket.destroy()
    const timer = setTimeout(() => {
      for (const request of asked) if (!request.complete) request.socket.destroy()
    }, PATIENCE)
    await closed
    clearTimeout(timer)
  }
}
