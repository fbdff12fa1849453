/** Memory: training leaves it where it was, parts of a batch take less of it, and all triplets never take the cube. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('step 2,000 leaves resident memory where step 500 left it', async () => {
  const program = join(import.meta.dirname, 'programs', 'steps.mjs')
  // The young generation of JavaScript's own heap doubles at some time of its choosing; kept small, it cannot.
  const flags = ['--expose-gc', '--max-semi-space-size=1']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program])
  const resident = JSON.parse(stdout) as Record<string, number>
  const grown = (resident[2000]! - resident[500]!) / 2 ** 20
  process.stdout.write(`resident memory grew by ${grown.toFixed(1)} MiB over 1,500 steps\n`)
  // A single leaked set of parameters a step would be 150 MiB.
  expect(grown).toBeLessThan(8)
})

test('a batch in parts of 64 takes less than half of the memory that it takes at once', async () => {
  const program = join(import.meta.dirname, 'programs', 'parts.mjs')
  const peakOf = async (microBatch: number) => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, String(microBatch)])
    return Number(stdout) / 2 ** 20
  }
  const [whole, parts] = [await peakOf(1024), await peakOf(64)]
  process.stdout.write(`peak of resident memory at once ${whole.toFixed(0)} MiB, in parts ${parts.toFixed(0)} MiB\n`)
  // The activations of 1,024 images; a sixteenth of them comes to what Node, the runtime and the loss take anyway.
  expect(parts).toBeGreaterThan(0)
  expect(parts).toBeLessThan(whole / 2)
})

test('all triplets of 768 embeddings, half of them of one class, take no cube, however they are visited', async () => {
  const program = join(import.meta.dirname, 'programs', 'triplets.mjs')
  const { stdout } = await promisify(execFile)(process.execPath, [program, '768'])
  const peak = Number(stdout) / 2 ** 20
  process.stdout.write(`peak of resident memory with all triplets of 768: ${peak.toFixed(0)} MiB\n`)
  // [anchor, positive, negative] in float32 would take 864 MiB for each of its steps.
  expect(peak).toBeLessThan(768)
}, 300_000)
