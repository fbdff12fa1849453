/** `isometry serve` */
import { serve as listen } from '../serve/index.ts'
import type { DeviceArguments } from './device.ts'
import { interruptible, warn } from './outcome.ts'

export async function serve(
  model: string,
  options: DeviceArguments & { index: string; host: string; port: number; queue: number; maxBody: number },
): Promise<void> {
  const { maxBody, ...more } = options
  const signal = interruptible()
  // What those send who start servers for others, and mean the same by it.
  process.once('SIGTERM', () => process.emit('SIGINT'))
  const server = await listen({ ...more, model, maxBody: maxBody * 2 ** 20, warn })
  process.stdout.write(`${server.items} items, metric ${server.metric}, at ${server.address}\nCtrl-C ends it\n`)
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  await server.close()
}
