// Opens a table of vectors as users do, compiled, reads batches of it, and prints what that took. Needs `npm run build`.
import { openTable } from '../../dist/data/index.js'

const [file] = process.argv.slice(2)
const started = performance.now()
const { examples } = await openTable(file, { labelled: true })
const opened = performance.now()
for (let batch = 0; batch < 200; batch++) {
  await examples.read(Int32Array.from({ length: 512 }, (_, i) => (batch * 7919 + i * 104729) % examples.length))
}
const read = performance.now()
console.log(
  JSON.stringify({
    opened: opened - started,
    read: (read - opened) / 200,
    peak: process.resourceUsage().maxRSS * 1024,
  }),
)
