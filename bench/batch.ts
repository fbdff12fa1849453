/**
 * All triplets of ever larger batches, loss and gradient: time and the most memory, each size in a process of its own. What it
 * prints is kept in bench/batch.jsonl, of which `npm run plots` draws the growth.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const kept = join(import.meta.dirname, 'batch.jsonl')
rmSync(kept, { force: true })
console.log('d = 128, two threads; the peak is that of the whole process')
console.log('loss                 classes   batch        ms   peak MiB')
for (const classes of ['even', 'uneven'] as const) {
  for (const loss of ['triplet', 'cosineMarginTriplet']) {
    for (const batch of [512, 1024, 2048, 4096, 8192]) {
      // Smooth terms of classes of a hundred have to be visited one by one: 8192² × 127 of them.
      const slow = classes === 'uneven' && loss === 'cosineMarginTriplet' && batch > 4096
      const runs = slow ? 1 : batch > 2048 ? 3 : 9
      const program = join(import.meta.dirname, 'programs', 'triplets.ts')
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        ['--import', 'tsx', program, loss, String(batch), classes, String(runs)],
        { encoding: 'utf8' },
      )
      if (status !== 0) throw new Error(stderr)
      const measured = JSON.parse(stdout) as { milliseconds: number; mebibytes: number }
      appendFileSync(kept, `${JSON.stringify({ loss, classes, batch, ...measured })}\n`)
      console.log(
        `${loss.padEnd(20)} ${classes.padEnd(7)} ${String(batch).padStart(7)} ${measured.milliseconds.toFixed(0).padStart(9)} ${measured.mebibytes.toFixed(0).padStart(10)}`,
      )
    }
  }
}
