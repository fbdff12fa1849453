/** Programs of one kind, one for each size that is asked for, kept until they are released. */
import { compile } from '../compile.ts'
import type { Value } from '../graph/value.ts'
import type { ComputeOptions, Program, Tensors } from '../runtime/session.ts'

export interface Programs<Sizes extends readonly number[]> {
  run(sizes: Sizes, feeds: Tensors): Promise<Tensors>
  release(): Promise<void>
}

export function programs<Sizes extends readonly number[]>(
  build: (...sizes: Sizes) => Record<string, Value>,
  compute: ComputeOptions,
): Programs<Sizes> {
  const compiled = new Map<string, Promise<Program>>()
  return {
    async run(sizes, feeds) {
      const key = sizes.join(' × ')
      const known = compiled.get(key) ?? compile(build(...sizes), compute)
      compiled.set(key, known)
      return (await known).run(feeds)
    },
    async release() {
      const all = await Promise.all(compiled.values())
      compiled.clear()
      for (const program of all) await program.release()
    },
  }
}
