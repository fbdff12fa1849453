/** Stops work at the next safe point after its caller gave it up. */
import { InterruptedError } from '../errors.ts'

/** @throws InterruptedError if `signal` is aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new InterruptedError('Stopped while images were being read', { cause: signal.reason })
}
