/** What training carries from step to step: parameters, running statistics, the optimiser's state, summed gradients. */
import { RuntimeError } from '../errors.ts'
import { dispose, isOnDevice, type Program, type Tensors } from '../runtime/session.ts'
import { allocate, type Tensor, type TensorType } from '../tensor.ts'

/** What a program leaves for the next run has its input's name behind this. */
export const NEXT = 'next '

/**
 * Named tensors in two sets of buffers. A run reads one and writes the other, because the runtime may write an output
 * before it has read an input for the last time; then those that were written swap.
 */
export interface Held {
  has(name: string): boolean
  /** Sets to zero. */
  clear(names: readonly string[]): void
  /** Runs a program on what is held and the feeds; its outputs named `next NAME` become what is held as NAME. */
  run(program: Program, feeds: Tensors): Promise<Tensors>
  /** What is held now; a later run may overwrite it. */
  current(): Promise<Tensors>
  /** Marks what is held now as what `undo` goes back to. */
  mark(): void
  undo(): void
  /** A copy of what is held now. */
  snapshot(): Promise<Tensors>
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
    has: (name) => name in current,
    clear(names) {
      for (const name of names) current[name]!.data.fill(0 as never)
    },
    async run(program, feeds) {
      const written = writtenBy(program)
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
    current: async () => current,
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
    snapshot: async () => copy(current),
    restore(snapshot) {
      for (const [name, tensor] of Object.entries(snapshot)) set(current[name]!, tensor)
    },
  }
}

/**
 * The same on a device, where what a program gives stays and is fed to the next: nothing is written over, so what is held
 * when a mark is set is only kept until the next one.
 *
 * @param read gives tensors on the device out.
 */
export function holdOnDevice(
  initial: Tensors,
  unmarked: ReadonlySet<string>,
  read: (tensors: Tensors) => Promise<Tensors>,
): Held {
  const current: Record<string, Tensor> = copy(initial)
  const marked = new Map<string, Tensor>()

  function replace(name: string, tensor: Tensor) {
    dispose(current[name]!)
    current[name] = tensor
  }
  async function readAll(): Promise<Tensors> {
    const away = Object.entries(current).filter(([, tensor]) => isOnDevice(tensor))
    return { ...current, ...(away.length > 0 && (await read(Object.fromEntries(away)))) }
  }

  return {
    has: (name) => name in current,
    clear(names) {
      for (const name of names) replace(name, { ...typeOf(current[name]!), data: allocate(current[name]!) })
    },
    async run(program, feeds) {
      const results = await program.run({ ...current, ...feeds })
      for (const name of writtenBy(program)) {
        if (marked.has(name) || unmarked.has(name)) dispose(current[name]!)
        else marked.set(name, current[name]!)
        current[name] = results[NEXT + name]!
      }
      return results
    },
    current: readAll,
    mark() {
      for (const tensor of marked.values()) dispose(tensor)
      marked.clear()
    },
    undo() {
      for (const [name, tensor] of marked) replace(name, tensor)
      marked.clear()
    },
    snapshot: async () => copy(await readAll()),
    restore(snapshot) {
      for (const [name, tensor] of Object.entries(snapshot)) replace(name, copyOf(tensor))
    },
  }
}

function writtenBy({ outputNames }: Program): string[] {
  return outputNames.filter((name) => name.startsWith(NEXT)).map((name) => name.slice(NEXT.length))
}

function typeOf({ dtype, shape }: Tensor): TensorType {
  return { dtype, shape }
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
