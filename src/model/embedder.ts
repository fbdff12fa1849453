/** An encoder file that is ready to embed examples. */
import { labelsOf, type Source } from '../data/index.ts'
import { throwIfAborted } from '../data/interrupt.ts'
import type { LabelledEmbeddings } from '../evaluation/index.ts'
import { open } from '../runtime/node.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { Tensor } from '../tensor.ts'

export interface Embedder {
  /** [n, d] float32. */
  embed(source: Source): Promise<Tensor>
  /** The embeddings with the names of their classes, and their groups. */
  embedLabelled(source: Source): Promise<LabelledEmbeddings>
  release(): Promise<void>
}

export interface EmbedderOptions extends ComputeOptions {
  readonly signal?: AbortSignal | undefined
}

/** How many examples go through the encoder at once. */
const ROWS = 256

/** Opens the bytes of an `encoder.onnx` whose embeddings have `dimension` numbers. */
export async function openEmbedder(
  encoder: Uint8Array,
  dimension: number,
  { signal, ...compute }: EmbedderOptions,
): Promise<Embedder> {
  const program = await open(encoder, compute)

  async function embed(source: Source): Promise<Tensor> {
    const [name] = program.inputNames
    const data = new Float32Array(source.length * dimension)
    for (let start = 0; start < source.length; start += ROWS) {
      throwIfAborted(signal)
      const rows = Array.from({ length: Math.min(ROWS, source.length - start) }, (_, i) => start + i)
      const read = await source.read(rows, signal)
      const { embedding } = await program.run({
        [name!]: { ...read, dtype: 'float32', data: Float32Array.from(read.data as ArrayLike<number>) },
      })
      data.set(embedding!.data as Float32Array, start * dimension)
    }
    return { dtype: 'float32', shape: [source.length, dimension], data }
  }

  return {
    embed,
    embedLabelled: async (source) => ({
      embeddings: await embed(source),
      labels: labelsOf(source),
      groups: source.groups,
    }),
    release: () => program.release(),
  }
}
