/** The time of training steps beside the same steps in PyTorch, in one run, taking turns: `tsx bench/step.ts [name …]`. */
import { setTimeout } from 'node:timers/promises'
import { adam, adamW } from '../src/optimizers/index.ts'
import { matrixRate, median } from './measure.ts'
import { startPeer } from './peer.ts'
import { prepare, steps } from './steps.ts'

const ROUNDS = 15
const WARM_UP = 3
/** PyTorch's threads spin for a while after a step, and would slow whoever comes next; in milliseconds. */
const PAUSE = 300

const wanted = process.argv.slice(2)
const rate = await matrixRate()
const peer = startPeer('step', 'torch')
console.log(
  `Two threads; medians of ${ROUNDS} steps each, taking turns. A product of two 2048 × 2048 matrices: ${rate.toFixed(0)} GFLOP/s`,
)
for (const step of steps.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const { run, release } = prepare(step, step.name === 'transformer' ? adamW() : adam())
  const [ours, theirs, ratios]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    await setTimeout(PAUSE)
    // In training a step follows another: the one before it finds the caches as the peer and the pause have left them.
    await run()
    const start = performance.now()
    await run()
    const mine = performance.now() - start
    await setTimeout(PAUSE)
    const other = await peer?.time(step.name)
    if (round < WARM_UP) continue
    ours.push(mine)
    if (other !== undefined) {
      theirs.push(other)
      ratios.push(mine / other)
    }
  }
  await release()
  const beside = peer ? `, PyTorch ${median(theirs).toFixed(1)} ms, ratio ${median(ratios).toFixed(2)}` : ''
  const reached = (step.operations / 1e6 / median(ours)).toFixed(0)
  const share = Math.round((100 * step.operations) / 1e6 / median(ours) / rate)
  console.log(
    `${step.title}: ${median(ours).toFixed(1)} ms${beside}; ${reached} GFLOP/s in products, ${share} % of that rate`,
  )
}
peer?.close()
