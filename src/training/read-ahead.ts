/** Reads what the next step needs while the present one runs. */

export interface ReadAhead<T> {
  /** Begins to read, unless that has begun. */
  begin(): void
  /** What was read, once it is there. */
  take(): Promise<T>
  /** The milliseconds that were spent on reading when nothing else was done. */
  readonly waited: number
}

export function readAhead<T>(read: () => Promise<T>): ReadAhead<T> {
  let next: Promise<T> | undefined
  let waited = 0
  function begin() {
    if (next) return
    const started = performance.now()
    next = read()
    // Whoever takes it is told; until then it is nobody's business.
    next.catch(() => {})
    waited += performance.now() - started
  }
  return {
    begin,
    async take() {
      begin()
      const started = performance.now()
      try {
        return await next!
      } finally {
        next = undefined
        waited += performance.now() - started
      }
    },
    get waited() {
      return waited
    },
  }
}
