/** Embeddings as a file that other tools read: JSON lines, or the safetensors layout. */
import { rename, rm, writeFile } from 'node:fs/promises'
import { DataError, UsageError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'

export interface EmbeddedItems {
  readonly items: readonly string[]
  readonly labels: readonly (string | null)[]
  /** [n, d] float32. */
  readonly embeddings: Tensor
}

const formats: Readonly<Record<string, (embedded: EmbeddedItems) => string | Uint8Array>> = {
  '.jsonl': toJsonLines,
  '.safetensors': toSafetensors,
}

/** @throws UsageError if the name does not end in .jsonl or .safetensors. */
export function checkEmbeddingsFile(file: string): void {
  formatOf(file)
}

/**
 * Writes the file whole or not at all.
 *
 * @throws UsageError if the name does not end in .jsonl or .safetensors, DataError if it cannot be written.
 */
export async function writeEmbeddings(file: string, embedded: EmbeddedItems): Promise<void> {
  const content = formatOf(file)(embedded)
  const partial = `${file}.partial-${process.pid}`
  try {
    await writeFile(partial, content)
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    throw new DataError(`Cannot write ${file}: ${(error as Error).message}. Name a file that you may write.`, {
      cause: error,
    })
  }
}

function formatOf(file: string) {
  const ending = Object.keys(formats).find((each) => file.endsWith(each))
  if (!ending)
    throw new UsageError(`${file} should end in ${Object.keys(formats).join(' or ')}, which decides the format.`)
  return formats[ending]!
}

function toJsonLines({ items, labels, embeddings }: EmbeddedItems): string {
  const [, d] = embeddings.shape as [number, number]
  const data = embeddings.data as Float32Array
  return items
    .map((item, i) => {
      const embedding = Array.from(data.subarray(i * d, (i + 1) * d))
      return `${JSON.stringify({ item, label: labels[i], embedding })}\n`
    })
    .join('')
}

/** The length of the header as 8 bytes, the header as JSON padded to a multiple of 8, then the numbers, little-endian. */
function toSafetensors({ items, labels, embeddings }: EmbeddedItems): Uint8Array {
  const { shape, data } = embeddings
  const header = JSON.stringify({
    __metadata__: { items: JSON.stringify(items), labels: JSON.stringify(labels) },
    embeddings: { dtype: 'F32', shape, data_offsets: [0, data.byteLength] },
  })
  const text = new TextEncoder().encode(header)
  const length = Math.ceil(text.length / 8) * 8
  const file = new Uint8Array(8 + length + data.byteLength).fill(0x20, 8, 8 + length)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.set(text, 8)
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + length)
  return file
}
