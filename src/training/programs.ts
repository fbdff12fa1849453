/** Programs compiled when they are first needed, one for each shape of batch; the least lately used are released. */
import type { Program } from '../runtime/session.ts'

/** A compiled program keeps megabytes of working memory, so no more than these are kept. */
const KEPT = 8

export interface Programs<T extends { readonly program: Program }> {
  get(key: string, compile: () => Promise<T>): Promise<T>
  release(): Promise<void>
}

export function programs<T extends { readonly program: Program }>(kept = KEPT): Programs<T> {
  const known = new Map<string, T>()
  return {
    async get(key, compile) {
      const found = known.get(key) ?? (await compile())
      // A map keeps the order of insertion: what was used last goes to the end.
      known.delete(key)
      known.set(key, found)
      for (const [oldest, { program }] of known) {
        if (known.size <= kept) break
        known.delete(oldest)
        await program.release()
      }
      return found
    },
    async release() {
      for (const { program } of known.values()) await program.release()
      known.clear()
    },
  }
}
