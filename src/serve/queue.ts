/** Work for one worker: first come, first served, and no more than so many waiting. */
import { HttpError } from './http-error.ts'

export interface Queue {
  readonly waiting: number
  /**
   * Does the work once all before it is done.
   *
   * @param signal work that has not begun by then is left out, and its place is free at once.
   * @throws HttpError 429 if so many wait already.
   */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
}

export function createQueue(limit: number): Queue {
  const waiting: (() => Promise<void>)[] = []
  let isBusy = false

  async function next(): Promise<void> {
    if (isBusy) return
    isBusy = true
    for (let work = waiting.shift(); work; work = waiting.shift()) await work()
    isBusy = false
  }

  return {
    get waiting() {
      return waiting.length
    },
    run(work, signal) {
      if (waiting.length >= limit) {
        throw new HttpError(429, `${limit} requests wait already. Ask again in a second.`, { 'retry-after': '1' })
      }
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const begin = async () => {
          signal.removeEventListener('abort', leave)
          await work().then(resolve, reject)
        }
        // At once: places that nobody waits in would be refused to those who do.
        const leave = () => {
          waiting.splice(waiting.indexOf(begin), 1)
          reject(signal.reason)
        }
        signal.addEventListener('abort', leave, { once: true })
        waiting.push(begin)
        void next()
      })
    },
  }
}
