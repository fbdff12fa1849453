/** From nothing to the end of the first step, and the memory that steps peak at, each in a process of its own. */
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { median } from './measure.ts'
import { peerCommand } from './peer.ts'
import { steps } from './steps.ts'

const RUNS = 5

interface Start {
  readonly milliseconds: number
  readonly mebibytes: number
}

/** The program prints a line after its first step and, some steps later, its peak of resident memory in KiB. */
function measure(command: readonly string[], name: string): Promise<Start> {
  const start = performance.now()
  const [program, ...args] = command as [string, ...string[]]
  const child = spawn(program, [...args, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...peerCommand.environment },
  })
  return new Promise((resolve, reject) => {
    let milliseconds: number | undefined
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (milliseconds === undefined) milliseconds = performance.now() - start
      else resolve({ milliseconds, mebibytes: Number(line) / 1024 })
    })
    child.on('error', reject)
    child.on('close', (code) => code !== 0 && reject(new Error(`${program} ended with ${code}.`)))
  })
}

const ours = [process.execPath, '--import', 'tsx', join(import.meta.dirname, 'programs', 'start.ts')]
const hasPeer = spawnSync(peerCommand.python, ['-c', 'import torch']).status === 0
const theirs = [peerCommand.python, join(import.meta.dirname, 'peers', 'start.py')]
const shown = ({ milliseconds, mebibytes }: Start) =>
  `${(milliseconds / 1000).toFixed(2)} s, ${mebibytes.toFixed(0)} MiB`

console.log(`From the start of the process to the end of the first step, and peak resident memory; medians of ${RUNS}`)
for (const { name, title } of steps) {
  const results: { mine: Start[]; other: Start[] } = { mine: [], other: [] }
  for (let i = 0; i < RUNS; i++) {
    results.mine.push(await measure(ours, name))
    if (hasPeer) results.other.push(await measure(theirs, name))
  }
  const middle = (all: readonly Start[]): Start => ({
    milliseconds: median(all.map((each) => each.milliseconds)),
    mebibytes: median(all.map((each) => each.mebibytes)),
  })
  console.log(`${title}: ${shown(middle(results.mine))}${hasPeer ? `; PyTorch ${shown(middle(results.other))}` : ''}`)
}
