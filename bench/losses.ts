/** Every loss with its gradient, beside the same formula in PyTorch: time at batch 512, and all triplets at larger ones. */
import { setTimeout } from 'node:timers/promises'
import { lossesByName } from '../src/losses/by-name.ts'
import { mean } from '../src/losses/index.ts'
import { lossProgram } from './loss-program.ts'
import { median } from './measure.ts'
import { type Peer, startPeer } from './peer.ts'

const ROUNDS = 15
/** Threads of either side go on spinning for a while after a run, which would slow the other down. */
const PAUSE = 30
/** The peer takes seconds for a cube. */
const CUBE_ROUNDS = 3

const peer = startPeer('losses', 'torch')

/** Median times of ours and the peer's, taking turns after one round that is not counted. */
async function compared(run: () => Promise<unknown>, task: string, rounds: number, beside: Peer | undefined) {
  const times: [number[], number[]] = [[], []]
  for (let round = -1; round < rounds; round++) {
    await setTimeout(PAUSE)
    const start = performance.now()
    await run()
    const own = performance.now() - start
    await setTimeout(PAUSE)
    const other = beside ? await beside.time(task) : Number.NaN
    if (round < 0) continue
    times[0].push(own)
    times[1].push(other)
  }
  return times.map(median) as [number, number]
}

function line(name: string, ours: number, theirs: number): string {
  const ratio = theirs >= 20 * ours ? `1/${(theirs / ours).toFixed(0)}` : (ours / theirs).toFixed(2)
  return `${name.padEnd(28)} ${ours.toFixed(1).padStart(8)} ms  ${theirs.toFixed(1).padStart(9)} ms  ${ratio.padStart(6)}`
}

console.log('d = 128, loss and gradient, two threads, medians; ours, PyTorch, ratio')
console.log('\nbatch 512, four of each class')
const only = process.argv.slice(2)
for (const [name, { make }] of lossesByName) {
  if (name === 'quadruplet' || (only.length > 0 && !only.includes(name))) continue
  const program = await lossProgram(make(name === 'triplet' ? { reduce: mean } : {}), 512)
  const [ours, theirs] = await compared(program.run, `${name} even 512`, ROUNDS, peer)
  await program.release()
  console.log(line(name, ours, theirs))
}

for (const classes of only.length > 0 ? [] : (['even', 'uneven'] as const)) {
  console.log(
    `\nall triplets, batch 1024, ${classes === 'even' ? 'four of each class' : 'classes of 1, 2, 3, … members'}`,
  )
  for (const name of ['triplet', 'cosineMarginTriplet']) {
    const program = await lossProgram(lossesByName.get(name)!.make({ reduce: mean }), 1024, classes)
    const [ours, theirs] = await compared(program.run, `${name} ${classes} 1024`, CUBE_ROUNDS, peer)
    await program.release()
    console.log(line(name, ours, theirs))
  }
}
peer?.close()
