/** Every loss with its gradient, beside the same formula in PyTorch: time at batch 512, and all triplets at larger ones. */
import { lossesByName } from '../src/losses/by-name.ts'
import { mean } from '../src/losses/index.ts'
import { lossProgram } from './loss-program.ts'
import { median } from './measure.ts'
import { type Peer, startPeer } from './peer.ts'

const ROUNDS = 4
/** Threads of either side go on spinning for a while after a run, which slows the other down at first. */
const IN_A_ROW = 6
/** The peer takes seconds for a cube. */
const CUBE_ROUNDS = 1

const TRIPLETS = ['triplet', 'cosineMarginTriplet']

const peer = startPeer('losses', 'torch')

/** Median times of ours and the peer's: each several times in a row, the first not counted, and then the other. */
async function compared(run: () => Promise<unknown>, task: string, rounds: number, beside: Peer | undefined) {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i <= IN_A_ROW; i++) {
      const start = performance.now()
      await run()
      if (i > 0) times[0].push(performance.now() - start)
    }
    for (let i = 0; i <= (rounds > 1 ? IN_A_ROW : 2); i++) {
      const time = beside ? await beside.time(task) : Number.NaN
      if (i > 0) times[1].push(time)
    }
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
  const [ours, theirs] = await compared(
    program.run,
    `${name} even 512`,
    TRIPLETS.includes(name) ? CUBE_ROUNDS : ROUNDS,
    peer,
  )
  await program.release()
  console.log(line(name, ours, theirs))
}

for (const classes of only.length > 0 ? [] : (['even', 'uneven'] as const)) {
  console.log(
    `\nall triplets, batch 1024, ${classes === 'even' ? 'four of each class' : 'classes of 1, 2, 3, … members'}`,
  )
  for (const name of TRIPLETS) {
    const program = await lossProgram(lossesByName.get(name)!.make({ reduce: mean }), 1024, classes)
    const [ours, theirs] = await compared(program.run, `${name} ${classes} 1024`, CUBE_ROUNDS, peer)
    await program.release()
    console.log(line(name, ours, theirs))
  }
}
peer?.close()
