/** The thread that computes, and who waits for it. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { InterruptedError } from '../errors.ts'
import { HttpError } from './http-error.ts'
import { createQueue } from './queue.ts'
import type { About, Answers, Outcome, Settings, Task } from './tasks.ts'

export interface Engine {
  readonly about: About
  readonly waiting: number
  /** @throws HttpError what the task's example or condition has wrong; 429 if too many wait. */
  run<Kind extends Task['kind']>(task: Task & { readonly kind: Kind }, signal: AbortSignal): Promise<Answers[Kind]>
  close(): Promise<void>
}

/** Opens a model and its index. @throws HttpError if they cannot be; InterruptedError once `signal` is aborted before that. */
export async function openEngine(settings: Settings, limit: number, signal: AbortSignal): Promise<Engine> {
  const own = fileURLToPath(import.meta.url)
  const pool = new Piscina<{ settings: Settings; task: Task }, Outcome<Answers[Task['kind']]>>({
    filename: fileURLToPath(new URL(`./worker${extname(own)}`, import.meta.url)),
    minThreads: 1,
    maxThreads: 1,
    ...(extname(own) === '.ts' && { execArgv: ['--import', 'tsx'] }),
  })
  const queue = createQueue(limit)

  async function run<Kind extends Task['kind']>(
    task: Task & { readonly kind: Kind },
    signal: AbortSignal,
  ): Promise<Answers[Kind]> {
    const outcome = await queue.run(() => pool.run({ settings, task }), signal)
    if ('error' in outcome) throw new HttpError(outcome.status, outcome.error)
    return outcome.value as Answers[Kind]
  }

  try {
    const about = await Promise.race([run({ kind: 'about' }, signal), aborted(signal)])
    return {
      about,
      get waiting() {
        return queue.waiting
      },
      run,
      close: () => pool.close(),
    }
  } catch (error) {
    await pool.destroy()
    throw error
  }
}

/** Never resolves. @throws InterruptedError once `signal` is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new InterruptedError('Stopped before there was anything to serve.'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}
