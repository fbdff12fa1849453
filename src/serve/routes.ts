/** What the server answers, by path and method. */
import type { IncomingMessage } from 'node:http'
import { type Budget, readExamples } from './body.ts'
import type { Engine } from './engine.ts'
import { HttpError } from './http-error.ts'
import type { Example } from './tasks.ts'

export interface Answer {
  readonly type: string
  readonly body: string | Uint8Array
}

export interface Context {
  readonly engine: Engine
  readonly budget: Budget
  /** The page, as it is sent. */
  readonly page: string
}

interface Asked {
  readonly request: IncomingMessage
  readonly url: URL
  /** Aborted once the client has gone. */
  readonly signal: AbortSignal
}

type Handler = (context: Context, asked: Asked) => Promise<Answer>

const routes: ReadonlyMap<string, { readonly method: 'GET' | 'POST'; readonly handle: Handler }> = new Map([
  ['/', { method: 'GET', handle: async ({ page }) => ({ type: 'text/html; charset=utf-8', body: page }) }],
  [
    '/health',
    {
      method: 'GET',
      handle: async ({ engine: { about, waiting } }) => json({ items: about.items, metric: about.metric, waiting }),
    },
  ],
  ['/items', { method: 'GET', handle: picture }],
  ['/embed', { method: 'POST', handle: embed }],
  ['/search', { method: 'POST', handle: search }],
  ['/compare', { method: 'POST', handle: compare }],
])

/** @throws HttpError if there is no such path, or not by this method; and as what is asked for does. */
export async function answer(context: Context, asked: Asked): Promise<Answer> {
  const { pathname } = asked.url
  const path = /^\/items\/\d+$/.test(pathname) ? '/items' : pathname === '/items' ? '' : pathname
  const route = routes.get(path)
  if (!route) throw new HttpError(404, `There is nothing at ${pathname}. Ask /embed, /search or /compare.`)
  const { method } = asked.request
  if (method !== route.method && !(method === 'HEAD' && route.method === 'GET')) {
    throw new HttpError(405, `${pathname} takes ${route.method}, found ${method}.`, { allow: route.method })
  }
  return route.handle(context, asked)
}

async function embed(context: Context, asked: Asked): Promise<Answer> {
  return withExamples(context, asked, async (examples) =>
    json(await context.engine.run({ kind: 'embed', example: theOnly(examples) }, asked.signal)),
  )
}

const MOST_FOUND = 1000

async function search(context: Context, asked: Asked): Promise<Answer> {
  const { searchParams: parameters } = asked.url
  const k = Number(parameters.get('k') ?? 10)
  if (!Number.isInteger(k) || k < 1 || k > MOST_FOUND) {
    throw new HttpError(400, `k is ${parameters.get('k')}; expected a whole number from 1 to ${MOST_FOUND}.`)
  }
  const where = parameters.get('where') || undefined
  return withExamples(context, asked, async (examples) => {
    const found = await context.engine.run({ kind: 'search', example: theOnly(examples), k, where }, asked.signal)
    return json(found)
  })
}

async function compare(context: Context, asked: Asked): Promise<Answer> {
  return withExamples(context, asked, async (examples) => {
    const [a, b] = [examples.get('a'), examples.get('b')]
    if (!a || !b)
      throw new HttpError(400, `Send two examples, a and b; found ${[...examples.keys()].join(', ') || 'none'}.`)
    return json(await context.engine.run({ kind: 'compare', a, b }, asked.signal))
  })
}

/** The picture of an item of the index, by its row: nothing else of this machine can be asked for. */
async function picture({ engine }: Context, { url, signal }: Asked): Promise<Answer> {
  const row = Number(url.pathname.split('/')[2])
  const body = Number.isSafeInteger(row) ? await engine.run({ kind: 'picture', row }, signal) : undefined
  if (!body) throw new HttpError(404, `There is no picture of item ${row}.`)
  return { type: 'image/webp', body }
}

async function withExamples(
  { budget }: Context,
  { request }: Asked,
  work: (examples: ReadonlyMap<string, Example>) => Promise<Answer>,
): Promise<Answer> {
  const { examples, release } = await readExamples(request, budget)
  return work(examples).finally(release)
}

function theOnly(examples: ReadonlyMap<string, Example>): Example {
  const example = examples.get('image') ?? examples.get('vector')
  if (example && examples.size === 1) return example
  throw new HttpError(400, `Send one example, image or vector; found ${[...examples.keys()].join(', ') || 'none'}.`)
}

function json(value: object): Answer {
  return { type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` }
}
