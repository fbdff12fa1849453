/** The real command, run as a process of its own. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

export const executable = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js')

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs `isometry` with these arguments, in a folder or here. `during` sees standard error as it comes, and may act on the
 * process.
 */
export function isometry(
  args: readonly string[],
  during?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void,
  cwd?: string,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [executable, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
      during?.(stderr, (signal) => child.kill(signal))
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
