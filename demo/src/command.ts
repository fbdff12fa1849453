/** The command that anyone would use, as it is printed. */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

const executable = join(
  dirname(createRequire(import.meta.url).resolve('isometry/package.json')),
  'dist',
  'cli',
  'main.js',
)

/** Shows the command and runs it; ends this process too if it fails. */
export function isometry(args: readonly string[]): void {
  console.log(`\n$ isometry ${args.map((arg) => (arg.startsWith('/') ? relative(process.cwd(), arg) : arg)).join(' ')}`)
  const { status } = spawnSync(process.execPath, [executable, ...args], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
