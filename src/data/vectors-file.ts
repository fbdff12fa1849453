/** Vectors in a safetensors file, as `isometry embed` writes it: somebody else's embeddings are as welcome. */
import { readFile } from 'node:fs/promises'
import { DataError } from '../errors.ts'
import type { VectorInput } from '../inputs/vector.ts'
import { readSafetensors } from '../weights/safetensors.ts'
import type { Source } from './source.ts'
import { vectors } from './vectors.ts'

/** Whether a file's name ends as that of vectors. */
export const isVectorsFile = (name: string): boolean => name.toLowerCase().endsWith('.safetensors')

/**
 * Opens vectors [n, d] float32: the tensor `embeddings`, or the only one. What the file's metadata say of them, as JSON lists of
 * n, counts: `labels`, of which null is none, `items`, what each is called, and `groups`.
 *
 * @throws DataError if the file cannot be read, is damaged, has no such tensor, or its lists do not fit.
 */
export async function openVectorsFile(path: string): Promise<Source<VectorInput>> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new DataError(`${path} cannot be read: ${error.message}. Name a file of vectors.`, { cause: error })
  })
  try {
    const { tensors, metadata } = readSafetensors(bytes)
    const found = Object.entries(tensors)
    const tensor = tensors.embeddings ?? (found.length === 1 ? found[0]![1] : undefined)
    if (tensor?.dtype !== 'float32' || tensor.shape.length !== 2) {
      const names = found.map(([name, { dtype, shape }]) => `${name} ${dtype} [${shape.join(', ')}]`)
      throw new DataError(
        `it holds ${names.join(' and ') || 'no tensor'}; expected embeddings float32 [n, d]. Name the vectors so.`,
      )
    }
    return vectors(tensor.data as Float32Array, {
      dimension: tensor.shape[1]!,
      labels: listOf<string | number | null>(metadata, 'labels'),
      names: listOf<unknown>(metadata, 'items')?.map(String),
      groups: listOf<string | number | null>(metadata, 'groups'),
    })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new DataError(`${path} cannot be used: ${error.message}`, { cause: error })
  }
}

function listOf<T>(metadata: Readonly<Record<string, string>>, name: string): T[] | undefined {
  const text = metadata[name]
  if (text === undefined) return undefined
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (error) {
    throw new DataError(`its ${name} are not JSON: ${(error as Error).message}.`)
  }
  if (Array.isArray(list)) return list as T[]
  throw new DataError(`its ${name} are no JSON list.`)
}
