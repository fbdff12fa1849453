/** The server: HTTP within limits, whatever is sent to it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DataError } from '../errors.ts'
import type { Budget } from './body.ts'
import { watchConnections } from './connections.ts'
import { openEngine } from './engine.ts'
import { HttpError } from './http-error.ts'
import { pageOf } from './page.ts'
import { answer, type Context } from './routes.ts'
import type { Settings } from './tasks.ts'

export interface ServeOptions extends Settings {
  /** Who can connect: `127.0.0.1` is this machine alone. */
  readonly host: string
  /** 0 takes one that is free. */
  readonly port: number
  /** How many requests may wait for the model. */
  readonly queue: number
  /** The longest body, in bytes. */
  readonly maxBody: number
  /** Is told of what should not have happened. */
  readonly warn?: (message: string) => void
  /** Stops it while model and index are opened; after that, `close` ends it. */
  readonly signal?: AbortSignal
}

export interface Server {
  /** Where it answers, as `http://127.0.0.1:4477/`. */
  readonly address: string
  readonly items: number
  readonly metric: string
  /** Answers what was asked already, and ends. */
  close(): Promise<void>
}

/** Milliseconds for the head of a request, for all of it, and between two on one connection. */
const [HEAD, WHOLE, IDLE] = [10_000, 30_000, 5000]
const CONNECTIONS = 1024
/** Bodies that are held at once are no more than so many of the longest. */
const BODIES = 16

/** @throws DataError if the model or the index cannot be opened, or the address cannot be listened at. */
export async function serve({
  host,
  port,
  queue,
  maxBody,
  warn = console.warn,
  signal = new AbortController().signal,
  ...settings
}: ServeOptions): Promise<Server> {
  const engine = await openEngine(settings, queue, signal)
  const budget: Budget = { perBody: maxBody, together: BODIES * maxBody, held: 0 }
  const context: Context = { engine, budget, page: await pageOf(settings, engine.about) }
  const server = createServer({
    headersTimeout: HEAD,
    requestTimeout: WHOLE,
    keepAliveTimeout: IDLE,
    connectionsCheckingInterval: 1000,
  })
  server.maxConnections = CONNECTIONS
  const disconnect = watchConnections(server)
  let isOwn = isLoopback
  server.on('request', (request, response) => void respond(context, request, response, isOwn, warn))
  // What is no HTTP, or came too slowly.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    else socket.destroy()
  })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
  } catch (error) {
    await engine.close()
    throw new DataError(
      `Cannot listen at ${host}:${port}: ${(error as Error).message}. Name another with --port or --host.`,
      {
        cause: error,
      },
    )
  }
  const at = server.address() as AddressInfo
  // By the address itself: a name, or 127.1, may lead to this machine alone as well.
  isOwn = isLoopback(at.address) ? (name) => isLoopback(name) || name === host.toLowerCase() : () => true
  return {
    address: `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}/`,
    items: engine.about.items,
    metric: engine.about.metric,
    async close() {
      await disconnect()
      await engine.close()
    },
  }
}

const loopback = /^(localhost|(::ffff:)?127(\.\d+){3}|\[?::1\]?)$/i

function isLoopback(host: string): boolean {
  return loopback.test(host)
}

/** Nothing of another site may be read here, nor may this be shown in one. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

async function respond(
  context: Context,
  request: IncomingMessage,
  response: ServerResponse,
  isOwn: (name: string) => boolean,
  warn: (message: string) => void,
): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort(new HttpError(499, 'The client has gone.')))
  try {
    const url = checkedUrl(request, isOwn)
    const { type, body } = await answer(context, { request, url, signal: gone.signal })
    response.writeHead(200, { ...HEADERS, 'content-type': type, 'content-length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? undefined : body)
  } catch (error) {
    if (gone.signal.aborted) return
    const known =
      error instanceof HttpError ? error : new HttpError(500, 'This was not expected. The server says more.')
    if (known !== error && !isCutOff(error)) warn(String((error as Error).stack ?? error))
    refuse(request, response, known)
  }
}

/** @throws HttpError if it was asked in another site's name, or by one. */
function checkedUrl({ headers, url = '/' }: IncomingMessage, isOwn: (name: string) => boolean): URL {
  const { host = '', origin } = headers
  // A name that somebody else's server made to lead here would let its pages ask in this one's name.
  if (!isOwn(host.replace(/:\d+$/, '').toLowerCase())) {
    throw new HttpError(
      403,
      `The request is for ${host || 'no host'}; expected localhost. Bind to an address with --host for more.`,
    )
  }
  // By its host alone: a server before this one may speak HTTPS.
  if (origin !== undefined && origin.replace(/^https?:\/\//, '').toLowerCase() !== host.toLowerCase())
    throw new HttpError(403, `Pages of ${origin} may not ask this server.`)
  try {
    return new URL(url, 'http://localhost')
  } catch {
    throw new HttpError(400, `${url} is no path.`)
  }
}

/** A body that ended early is the client's doing. */
function isCutOff(error: unknown): boolean {
  return ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'HPE_INVALID_CHUNK_SIZE'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  )
}

/** How much of a body that is not wanted is read, so that its client hears why, and for how long. */
const [UNREAD, PATIENCE] = [2 ** 26, 2000]

function refuse(request: IncomingMessage, response: ServerResponse, { status, message, headers }: HttpError): void {
  const body = `${JSON.stringify({ error: message })}\n`
  const more = { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) }
  const isRead = request.complete
  response.writeHead(status, { ...HEADERS, ...more, ...headers, ...(!isRead && { connection: 'close' }) })
  response.end(body)
  if (isRead) return
  let unread = 0
  const timer = setTimeout(() => request.destroy(), PATIENCE)
  request.on('close', () => clearTimeout(timer))
  request.on('data', (chunk: Buffer) => {
    unread += chunk.length
    if (unread > UNREAD) request.destroy()
  })
  request.on('error', () => {})
}
