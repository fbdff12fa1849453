/** How a command ends: its exit code, and one line on standard error for what went wrong. */
import { InterruptedError, IsometryError, UsageError } from '../errors.ts'
import { prose } from './paragraph.ts'

/** 1 the work failed, 2 wrong usage, 130 interrupted. */
export async function run({ debug }: { debug?: boolean }, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const code = error instanceof UsageError ? 2 : error instanceof InterruptedError ? 130 : 1
    fail(messageOf(error), code)
    if (debug) process.stderr.write(`${(error as Error).stack}\n`)
  }
}

export function fail(message: string, code: number): void {
  process.stderr.write(`isometry: ${message}\n`)
  process.exitCode = code
}

function messageOf(error: unknown): string {
  if (error instanceof IsometryError) return error.message
  const text = error instanceof Error ? error.message : String(error)
  return `${text.replaceAll('\n', ' ')}. This was not expected; --debug shows where it happened.`
}

export function warn(message: string): void {
  process.stderr.write(prose(`warning: ${message}\n`, process.stderr))
}

/** A signal that Ctrl-C aborts, so that work can end cleanly; a second Ctrl-C ends it at once. */
export function interruptible(): AbortSignal {
  const controller = new AbortController()
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  })
  return controller.signal
}
