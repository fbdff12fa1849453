/** Embeddings as a file that other tools read: JSON lines, or the safetensors layout. */
import { UsageError } from '../errors.ts'
import { cannotWrite, writeWhole } from '../files.ts'
import type { Tensor } from '../tensor.ts'
import { writeSafetensors } from '../weights/safetensors.ts'

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
  await writeWhole(file, formatOf(file)(embedded)).catch(cannotWrite(file))
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

function toSafetensors({ items, labels, embeddings }: EmbeddedItems): Uint8Array {
  const metadata = { items: JSON.stringify(items), labels: JSON.stringify(labels) }
  return writeSafetensors({ tensors: { embeddings }, metadata })
}
