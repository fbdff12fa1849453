/**
 * The command in the very process of a test, as it is built: what it does is the same, and nothing has to start. Where the
 * process itself is what is looked at, there is command.ts.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Outcome } from './command.ts'

const dist = join(import.meta.dirname, '..', 'dist', 'cli')
const { runCommand } = (await import(pathToFileURL(join(dist, 'program.js')).href)) as {
  runCommand(): Promise<void>
}

let before: Promise<unknown> = Promise.resolve()

/** Runs `isometry` with these arguments, once those before it have ended. */
export function isometry(args: readonly string[]): Promise<Outcome> {
  const outcome = before.then(() => run(args))
  before = outcome.catch(() => {})
  return outcome
}

async function run(args: readonly string[]): Promise<Outcome> {
  const { argv, exitCode, stdout, stderr } = process
  const [writeOut, writeError] = [stdout.write, stderr.write]
  const listeners = process.listeners('SIGINT')
  const told = { stdout: '', stderr: '' }
  stdout.write = keep('stdout')
  stderr.write = keep('stderr')
  process.argv = [process.execPath, join(dist, 'main.js'), ...args]
  process.exitCode = undefined
  try {
    await runCommand()
    return { code: Number(process.exitCode ?? 0), ...told }
  } finally {
    stdout.write = writeOut
    stderr.write = writeError
    process.argv = argv
    process.exitCode = exitCode
    for (const each of process.listeners('SIGINT')) if (!listeners.includes(each)) process.off('SIGINT', each)
  }

  function keep(name: keyof typeof told): typeof stdout.write {
    return (chunk) => {
      told[name] += chunk
      return true
    }
  }
}
