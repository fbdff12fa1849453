/** What is in two parts of the data that should have nothing in common. */
import { createHash } from 'node:crypto'
import type { Source } from './source.ts'

/** So many vectors are read at once. */
const ROWS = 4096

/**
 * How many examples of `held` are in `training`, too: images by their path, vectors by their numbers.
 */
export async function countShared(training: Source, held: Source): Promise<number> {
  const known = new Set<string>()
  for await (const key of keysOf(training)) known.add(key)
  let shared = 0
  for await (const key of keysOf(held)) if (known.has(key)) shared++
  return shared
}

async function* keysOf(source: Source): AsyncGenerator<string> {
  if (source.input.kind === 'image') {
    for (let row = 0; row < source.length; row++) yield source.item(row)
    return
  }
  for (let start = 0; start < source.length; start += ROWS) {
    const rows = Array.from({ length: Math.min(ROWS, source.length - start) }, (_, i) => start + i)
    const { data } = await source.read(rows)
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const each = bytes.length / rows.length
    for (let i = 0; i < rows.length; i++) {
      yield createHash('sha1')
        .update(bytes.subarray(i * each, (i + 1) * each))
        .digest('base64')
    }
  }
}
