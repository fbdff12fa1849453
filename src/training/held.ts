/** What training carries from step to step: parameters, running statistics, the optimiser's state, summed gradients. */
import { RuntimeError } from '../errors.ts'
import type { Program, Tensors } from '../runtime/session.ts'
import type { Tensor } from '../tensor.ts'

/** What a program leaves for the next run has its input's name behind this. */
export const NEXT = 'next '

/**
 * Named tensors in two sets of buffers. A run reads one and writes the other, because the runtime may write an output
 * before it has read an input for the last time; then those that were written swap.
 */
export interface Held {
  /** Runs a program on what is held and the feeds; its outputs named `next NAME` become what is held as NAME. */
  run(program: Program, feeds: Tensors): Promise<Tensors>
  /** What is held now, in buffers that a later run overwrites. */
  current(): Tensors
  /** Marks what is held now as what `undo` goes back to. */
  mark(): void
  undo(): void
  snapshot(): Tensors
  restore(snapshot: Tensors): void
}

/** @param unmarked names of what `undo` need not bring back. */
export function hold(initial: Tensors, unmarked: ReadonlySet<string> = new Set()): Held {
  const current: Record<string, Tensor> = copy(initial)
  const spare: Record<string, Tensor> = copy(initial)
  /** What was written once since the mark: the marked values are in the spare buffers. */
  const once = new Set<string>()
  /** What was written again: copies of the marked values. */
  const saved = new Map<string, Tensor>()

  function swap(name: string) {
    ;[current[name], spare[name]] = [spare[name]!, current[name]!]
  }

  return {
    async run(program, feeds) {
      const written = program.outputNames.filter((name) => name.startsWith(NEXT)).map((name) => name.slice(NEXT.length))
      for (const name of written) {
        if (!spare[name]) throw new RuntimeError(`A step gives ${name}, which no step before it held.`)
        if (once.delete(name)) saved.set(name, copyOf(spare[name]))
        else if (!saved.has(name) && !unmarked.has(name)) once.add(name)
      }
      const into = Object.fromEntries(written.map((name) => [NEXT + name, spare[name]!]))
      const results = await program.run({ ...current, ...feeds }, into)
      for (const name of written) swap(name)
      return results
    },
    current: () => current,
    mark() {
      once.clear()
      saved.clear()
    },
    undo() {
      for (const name of once) swap(name)
      for (const [name, tensor] of saved) set(current[name]!, tensor)
      once.clear()
      saved.clear()
    },
    snapshot: () => copy(current),
    restore(snapshot) {
      for (const [name, tensor] of Object.entries(snapshot)) set(current[name]!, tensor)
    },
  }
}

function set(target: Tensor, { data }: Tensor): void {
  ;(target.data as Float32Array).set(data as Float32Array)
}

function copy(tensors: Tensors): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, copyOf(tensor)]))
}

function copyOf(tensor: Tensor): Tensor {
  return { ...tensor, data: tensor.data.slice() }
}
