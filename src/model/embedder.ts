/** An encoder file that is ready to embed images. */
import type { Images } from '../data/index.ts'
import { throwIfAborted } from '../data/interrupt.ts'
import type { LabelledEmbeddings } from '../evaluation/index.ts'
import { open } from '../runtime/node.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import type { Tensor } from '../tensor.ts'

export interface Embedder {
  /** [n, d] float32. */
  embed(images: Images): Promise<Tensor>
  /** The embeddings with the names of their classes. */
  embedLabelled(images: Images): Promise<LabelledEmbeddings>
  release(): Promise<void>
}

export interface EmbedderOptions extends ComputeOptions {
  readonly signal?: AbortSignal | undefined
}

/** How many images go through the encoder at once. */
const ROWS = 256

/** Opens the bytes of an `encoder.onnx` whose embeddings have `dimension` numbers. */
export async function openEmbedder(
  encoder: Uint8Array,
  dimension: number,
  { signal, ...compute }: EmbedderOptions,
): Promise<Embedder> {
  const program = await open(encoder, compute)

  async function embed(images: Images): Promise<Tensor> {
    const { channels, height, width } = images.input
    const data = new Float32Array(images.length * dimension)
    for (let start = 0; start < images.length; start += ROWS) {
      throwIfAborted(signal)
      const rows = Array.from({ length: Math.min(ROWS, images.length - start) }, (_, i) => start + i)
      const pixels = Float32Array.from(images.read(rows))
      const { embedding } = await program.run({
        pixels: { dtype: 'float32', shape: [rows.length, channels, height, width], data: pixels },
      })
      data.set(embedding!.data as Float32Array, start * dimension)
    }
    return { dtype: 'float32', shape: [images.length, dimension], data }
  }

  return {
    embed,
    embedLabelled: async (images) => ({ embeddings: await embed(images), labels: labelsOf(images) }),
    release: () => program.release(),
  }
}

/** The name of each image's class; null if it has none. */
export function labelsOf({ labels, classes }: Images): (string | null)[] {
  return Array.from(labels, (label) => classes[label] ?? null)
}
