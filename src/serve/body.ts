/** What a request brings: examples by name, read within limits. */
import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.ts'
import type { Example } from './tasks.ts'

/** Bytes of bodies that are held at once, of all requests together. */
export interface Budget {
  readonly perBody: number
  readonly together: number
  held: number
}

/**
 * @returns the examples by their names: `image` and `vector` where one comes alone, else the names of a form's fields or of an
 *   object's members. `release` gives their bytes back to the budget.
 * @throws HttpError 413 if the body is too long, 415 if it is of no type that is known, 400 if it is not what its type says, 429
 *   if too many bytes are held already.
 */
export async function readExamples(
  request: IncomingMessage,
  budget: Budget,
): Promise<{ examples: ReadonlyMap<string, Example>; release: () => void }> {
  const type = request.headers['content-type'] ?? ''
  const parse = parserOf(type)
  const { bytes, release } = await readBody(request, budget, parse === fromJson ? MOST_TEXT : Number.POSITIVE_INFINITY)
  try {
    if (bytes.length === 0) throw new HttpError(400, 'The request has no body. Send an image, or a vector as JSON.')
    return { examples: await parse(bytes, type), release }
  } catch (error) {
    release()
    throw error
  }
}

/** Bytes of JSON, which is read in the thread that answers: tens of thousands of numbers. */
const MOST_TEXT = 2 ** 20
/** Parts of a form. */
const MOST_PARTS = 8

type Parser = (bytes: Uint8Array, type: string) => Promise<ReadonlyMap<string, Example>>

function parserOf(type: string): Parser {
  const name = type.split(';')[0]!.trim().toLowerCase()
  if (name.startsWith('image/') || name === 'application/octet-stream') {
    return async (image) => new Map([['image', { image }]])
  }
  if (name === 'application/json') return fromJson
  if (name === 'multipart/form-data') return fromForm
  throw new HttpError(
    415,
    `The content type is ${name || 'missing'}; expected image/*, application/octet-stream, application/json or multipart/form-data.`,
  )
}

async function readBody(
  request: IncomingMessage,
  budget: Budget,
  most: number,
): Promise<{ bytes: Uint8Array; release: () => void }> {
  const perBody = Math.min(budget.perBody, most)
  const tooLong = () =>
    new HttpError(
      413,
      `The body has more than ${Number((perBody / 2 ** 20).toFixed(2))} MiB, which is the limit. ${most < budget.perBody ? 'Send fewer numbers' : 'Send a smaller image'}.`,
    )
  if (Number(request.headers['content-length'] ?? 0) > perBody) throw tooLong()
  const chunks: Buffer[] = []
  let size = 0
  const release = () => {
    budget.held -= size
    size = 0
  }
  try {
    // Not destroyed where it is left, so that there is still somebody to answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (size + chunk.length > perBody) throw tooLong()
      if (budget.held + chunk.length > budget.together) {
        throw new HttpError(429, 'Too many images are on their way. Ask again in a second.', { 'retry-after': '1' })
      }
      size += chunk.length
      budget.held += chunk.length
      chunks.push(chunk)
    }
  } catch (error) {
    release()
    throw error
  }
  return { bytes: Buffer.concat(chunks), release }
}

async function fromJson(bytes: Uint8Array): Promise<ReadonlyMap<string, Example>> {
  checkFlat(bytes)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new HttpError(400, `The body is not JSON: ${(error as Error).message}.`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HttpError(400, 'The body is not an object; expected {"vector": [0.1, …]}.')
  }
  return new Map(Object.entries(value).map(([name, vector]) => [name, { vector: numbersOf(name, vector) }]))
}

/** Brackets and colons of two lists of numbers in one object, and some more. */
const MOST_MARKS = 16
const marks = new Set(Buffer.from('[{:'))

/** A megabyte of brackets takes a parser longer than one of numbers. @throws HttpError if it cannot be a few lists of numbers. */
function checkFlat(bytes: Uint8Array): void {
  let found = 0
  for (const byte of bytes) {
    if (marks.has(byte) && ++found > MOST_MARKS) {
      throw new HttpError(400, 'The body has more than lists of numbers in it; expected {"vector": [0.1, …]}.')
    }
  }
}

async function fromForm(bytes: Uint8Array, type: string): Promise<ReadonlyMap<string, Example>> {
  checkParts(bytes, type)
  const form = await new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { 'content-type': type } })
    .formData()
    .catch(() => {
      throw new HttpError(400, 'The body is not a form, whatever its type says.')
    })
  const fields = [...form].map(async ([name, value]): Promise<[string, Example]> => {
    if (typeof value === 'string' && value.length > MOST_TEXT) throw new HttpError(400, `${name} is too long a text.`)
    if (typeof value !== 'string') return [name, { image: new Uint8Array(await value.arrayBuffer()) }]
    const [, example] = [...(await fromJson(new TextEncoder().encode(`{"vector": ${value}}`)))][0]!
    return [name, example]
  })
  return new Map(await Promise.all(fields))
}

/** Many small parts would keep the thread that answers busy for seconds. @throws HttpError if there are too many. */
function checkParts(bytes: Uint8Array, type: string): void {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? []
  const boundary = Buffer.from(`--${quoted ?? plain ?? ''}`)
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let parts = -1
  for (let at = body.indexOf(boundary); at >= 0; at = body.indexOf(boundary, at + boundary.length)) {
    if (++parts > MOST_PARTS)
      throw new HttpError(400, `The form has more than ${MOST_PARTS} parts. Send one image, or two.`)
  }
}

function numbersOf(name: string, value: unknown): number[] {
  if (Array.isArray(value) && value.length > 0 && value.every((each) => Number.isFinite(each))) return value as number[]
  throw new HttpError(400, `${name} is not a list of finite numbers; expected {"vector": [0.1, …]}.`)
}
