/** `isometry serve` */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../errors.ts'
import { serve as listen } from '../serve/index.ts'
import type { DeviceArguments } from './device.ts'
import { interruptible, warn } from './outcome.ts'

export async function serve(
  model: string,
  options: DeviceArguments & {
    index?: string
    gallery?: string
    host: string
    port: number
    queue: number
    maxBody: number
  },
): Promise<void> {
  const { maxBody, index, gallery, ...more } = options
  if ((index === undefined) === (gallery === undefined)) {
    throw new UsageError(`Name either --index or --gallery, found ${index === undefined ? 'none' : 'two'} of them.`)
  }
  const signal = interruptible()
  // What those send who start servers for others, and mean the same by it.
  process.once('SIGTERM', () => process.emit('SIGINT'))
  // A gallery is an index for as long as it is served.
  const folder = index === undefined ? await mkdtemp(join(tmpdir(), 'isometry-serve-')) : undefined
  try {
    const settings = { ...more, model, index: index ?? join(folder!, 'index'), gallery, maxBody: maxBody * 2 ** 20 }
    const server = await listen({ ...settings, warn, signal })
    process.stdout.write(`${server.items} items, metric ${server.metric}, at ${server.address}\nCtrl-C ends it\n`)
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    await server.close()
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true })
  }
}
