/** Decodes images in threads beside the one that trains: a run of a graph blocks that one. */
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { ImageInput } from '../inputs/image.ts'
import decode, { type Decoded, type DecodeTask, type ImageFile } from './decode-worker.ts'
import { throwIfAborted } from './interrupt.ts'

export interface DecodeOptions {
  readonly input: ImageInput
  /** Whether only the header of each is looked at; false if left out. */
  readonly headers?: boolean
  readonly signal?: AbortSignal | undefined
}

/** So many go to a thread at once: enough that the way there costs nothing, few enough that all threads have work. */
const TASK = 16

/** Threads that found nothing to do for so long end, in milliseconds. */
const IDLE = 2000

/** Threads of the process, as the decoders below them have: they hold nothing of anybody's between two tasks. */
let threads: Piscina<DecodeTask, Decoded[]> | undefined

/**
 * What becomes of each image, in their order.
 *
 * @throws InterruptedError once `signal` is aborted.
 */
export async function decodeImages(
  images: readonly ImageFile[],
  { input, headers = false, signal }: DecodeOptions,
): Promise<Decoded[]> {
  throwIfAborted(signal)
  // A handful is decoded before a thread has started.
  if (!threads && images.length <= TASK) return decode({ input, images, headers })
  threads ??= startThreads()
  const tasks = Array.from({ length: Math.ceil(images.length / TASK) }, (_, i) =>
    images.slice(i * TASK, (i + 1) * TASK).map(({ path, box }) => ({ path, box })),
  )
  const results = await Promise.all(
    tasks.map(async (some) => {
      // Those that have not begun are passed over.
      throwIfAborted(signal)
      return threads!.run({ input, images: some, headers })
    }),
  )
  throwIfAborted(signal)
  return results.flat()
}

function startThreads(): Piscina<DecodeTask, Decoded[]> {
  const own = fileURLToPath(import.meta.url)
  const filename = fileURLToPath(new URL(`./decode-worker${extname(own)}`, import.meta.url))
  return new Piscina({
    filename,
    maxThreads: availableParallelism(),
    minThreads: 0,
    idleTimeout: IDLE,
    // In the sources as they are, a thread needs the loader of TypeScript that the others have.
    ...(extname(own) === '.ts' && { execArgv: ['--import', 'tsx'] }),
  })
}
