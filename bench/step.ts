/** The time of training steps beside the same steps in PyTorch, in one run, taking turns: `tsx bench/step.ts [name …]`. */
import { setTimeout } from 'node:timers/promises'
import { adam, adamW } from '../src/optimizers/index.ts'
import { matrixProduct, median } from './measure.ts'
import { startPeer } from './peer.ts'
import { prepare, steps } from './steps.ts'

const ROUNDS = 15
const WARM_UP = 3
/** PyTorch's threads spin for a while after a step, and would slow whoever comes next; in milliseconds. */
const PAUSE = 300

const wanted = process.argv.slice(2)
const product = await matrixProduct()
const peer = startPeer('step', 'torch')
console.log(
  `Two threads; medians of ${ROUNDS} steps each, taking turns; the rate of a product of 2048 × 2048 in GFLOP/s`,
)

/** In training a step follows another: the one before it finds the caches as whoever came before has left them. */
async function second(run: () => Promise<unknown>): Promise<number> {
  await run()
  const start = performance.now()
  await run()
  return performance.now() - start
}

for (const step of steps.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const { run, release } = prepare(step, step.name === 'transformer' ? adamW() : adam())
  const [ours, theirs, ratios]: [number[], number[], number[]] = [[], [], []]
  const [rates, shares]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    await setTimeout(PAUSE)
    const mine = await second(run)
    const rate = product.operations / (await second(product.run))
    await setTimeout(PAUSE)
    const other = await peer?.time(step.name)
    if (round < WARM_UP) continue
    ours.push(mine)
    rates.push(rate / 1e6)
    shares.push(step.operations / mine / rate)
    if (other !== undefined) {
      theirs.push(other)
      ratios.push(mine / other)
    }
  }
  await release()
  const beside = peer ? `, PyTorch ${median(theirs).toFixed(1)} ms, ratio ${median(ratios).toFixed(2)}` : ''
  const share = `its products over all of its time ${Math.round(100 * median(shares))} % of ${median(rates).toFixed(0)}`
  console.log(`${step.title}: ${median(ours).toFixed(1)} ms${beside}; ${share}`)
}
await product.release()
peer?.close()
