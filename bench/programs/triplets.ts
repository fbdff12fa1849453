/** One loss over all triplets of one batch, with its gradient: prints the median time and the most memory it took. */
import { readFileSync } from 'node:fs'
import { lossesByName } from '../../src/losses/by-name.ts'
import { mean } from '../../src/losses/index.ts'
import { lossProgram } from '../loss-program.ts'
import { medians } from '../measure.ts'

const [name, size, classes, runs] = process.argv.slice(2) as [string, string, 'even' | 'uneven', string]
const program = await lossProgram(lossesByName.get(name)!.make({ reduce: mean }), Number(size), classes)
// What takes minutes is not warmed up.
const [milliseconds] = await medians([program.run], Number(runs), runs === '1' ? 0 : 2)
await program.release()
const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
process.stdout.write(JSON.stringify({ milliseconds, mebibytes: peak ? Number(peak[1]) / 1024 : null }))
