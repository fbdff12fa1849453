/** A peer in Python that times one step on request, so that its runs can take turns with ours. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** OpenBLAS falls back to its slowest kernels on processors newer than itself, so it is told what this one can do. */
const coreType = /avx512f/.test(processorFlags()) ? 'SKYLAKEX' : 'HASWELL'

const python = process.env.PYTHON || 'python3'

/** How programs of the peer are run. */
export const peerCommand = { python, environment: { OPENBLAS_CORETYPE: coreType, PYTHONDONTWRITEBYTECODE: '1' } }

export interface Peer {
  /** Runs one named task there and gives its time in milliseconds. */
  time(task: string): Promise<number>
  close(): void
}

/** Starts bench/peers/NAME.py, or says that its module is missing. */
export function startPeer(name: string, module: string, options: readonly string[] = []): Peer | undefined {
  if (spawnSync(python, ['-c', `import ${module}`]).status !== 0) {
    console.log(
      `Without the peer: ${python} cannot import ${module} (Debian: apt-get install python3-${module}; the variable PYTHON names the interpreter).`,
    )
    return undefined
  }
  const child = spawn(python, [join(import.meta.dirname, 'peers', `${name}.py`), ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...peerCommand.environment, ...process.env },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async time(task) {
      child.stdin.write(`${task}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`The peer ${name}.py ended early.`)
      return JSON.parse(value) as number
    },
    close: () => child.stdin.end(),
  }
}

function processorFlags(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return ''
  }
}
