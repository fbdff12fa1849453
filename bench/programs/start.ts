/** One of the timed steps: a line after the first, then the peak of resident memory in KiB after some more. */
import { adam, adamW } from '../../src/optimizers/index.ts'
import { prepare, steps } from '../steps.ts'

const MORE = 5

const name = process.argv[2]
const { run, release } = prepare(steps.find((each) => each.name === name)!, name === 'transformer' ? adamW() : adam())
await run()
console.log('stepped')
for (let i = 0; i < MORE; i++) await run()
await release()
console.log(process.resourceUsage().maxRSS)
