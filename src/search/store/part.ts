/** A part of an index: two files, vectors as they lie in memory and entries as lines of JSON. Written once, never changed. */
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DataError } from '../../errors.ts'
import type { Entry } from './entry.ts'

export interface Part {
  readonly name: string
  readonly rows: number
}

/** Some items: a row of `vectors` for each entry. */
export interface Items {
  readonly vectors: Float32Array
  readonly entries: readonly Entry[]
}

const filesOf = (folder: string, name: string) => ({
  vectors: join(folder, `${name}.f32`),
  entries: join(folder, `${name}.jsonl`),
})

/** Whether a file of an index's folder is one of a part's, and of which. */
export function partOf(file: string): string | undefined {
  return /^(part-\d+)\.(f32|jsonl)$/.exec(file)?.[1]
}

/** Writes both files, and returns once they are on disk. */
export async function writePart(folder: string, name: string, items: AsyncIterable<Items>): Promise<Part> {
  const files = filesOf(folder, name)
  let rows = 0
  const vectors = await open(files.vectors, 'w')
  const entries = await open(files.entries, 'w')
  try {
    for await (const { vectors: data, entries: some } of items) {
      await vectors.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      await entries.writeFile(some.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
      rows += some.length
    }
    await vectors.sync()
    await entries.sync()
  } finally {
    await vectors.close()
    await entries.close()
  }
  return { name, rows }
}

/**
 * Reads a part's vectors [rows, dimension] into place.
 *
 * @throws DataError if the file is not there, or not as long as it should be.
 */
export async function readVectors(folder: string, { name, rows }: Part, into: Float32Array): Promise<void> {
  const { vectors } = filesOf(folder, name)
  const file = await open(vectors, 'r').catch(() => {
    throw damaged(vectors, 'it is missing')
  })
  try {
    const { size } = await file.stat()
    if (size !== into.byteLength)
      throw damaged(vectors, `it has ${size} bytes; expected ${into.byteLength} for ${rows} vectors`)
    const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength)
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, 2 ** 26), at)
      if (bytesRead === 0) throw damaged(vectors, 'it ends early')
      at += bytesRead
    }
  } finally {
    await file.close()
  }
}

/** A part's entries in their order. @throws DataError if there are more or fewer than rows, or a line is no entry. */
export async function* readEntries(folder: string, { name, rows }: Part): AsyncGenerator<Entry> {
  const { entries } = filesOf(folder, name)
  let row = 0
  for await (const { line } of linesOf(entries)) {
    row++
    yield parseEntry(line, `${entries}:${row}`)
  }
  if (row !== rows) throw damaged(entries, `it has ${row} lines; expected ${rows}`)
}

/** The entries of some rows of a part, ascending. */
export interface EntryReader {
  at(row: number): Promise<Entry>
  close(): Promise<void>
}

/** Finds where each line begins, and reads lines when they are asked for. */
export async function openEntries(folder: string, { name, rows }: Part): Promise<EntryReader> {
  const { entries } = filesOf(folder, name)
  // Where each line begins, and the one after the last.
  const starts = new Float64Array(rows + 1)
  let line = 0
  for await (const { end } of linesOf(entries)) if (++line <= rows) starts[line] = end
  if (line !== rows) throw damaged(entries, `it has ${line} lines; expected ${rows}`)
  const file = await open(entries, 'r')
  return {
    async at(row) {
      const bytes = Buffer.alloc(starts[row + 1]! - starts[row]! - 1)
      await file.read(bytes, 0, bytes.length, starts[row]!)
      return parseEntry(bytes, `${entries}:${row + 1}`)
    },
    close: () => file.close(),
  }
}

/** Lines of a file without their ends, and where the next begins. No other character than a line feed ends one. */
async function* linesOf(file: string): AsyncGenerator<{ line: Buffer; end: number }> {
  await stat(file).catch(() => {
    throw damaged(file, 'it is missing')
  })
  let rest: Buffer = Buffer.alloc(0)
  let end = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk as Buffer]) : (chunk as Buffer)
    let start = 0
    for (let next = bytes.indexOf(10); next >= 0; next = bytes.indexOf(10, start)) {
      end += next + 1 - start
      yield { line: bytes.subarray(start, next), end }
      start = next + 1
    }
    rest = bytes.subarray(start)
  }
  if (rest.length > 0) throw damaged(file, 'its last line has no end')
}

function parseEntry(line: Buffer, where: string): Entry {
  try {
    const entry = JSON.parse(line.toString()) as Entry
    if (typeof entry.item === 'string') return entry
  } catch {
    // Said below.
  }
  throw damaged(where, 'it is not an item')
}

function damaged(file: string, what: string): DataError {
  return new DataError(`The index is damaged: ${file}: ${what}. Make it again with \`isometry index\`.`)
}
