/** A table of a million vectors: how long it takes to open, and how much memory beside the numbers themselves. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

const [ROWS, DIMENSION] = [1_000_000, 128]

const folder = mkdtempSync(join(tmpdir(), 'isometry-bench-'))
try {
  const file = join(folder, 'vectors.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT 'class ' || (i % 1000) AS label, list_transform(range(${DIMENSION}), lambda k: sin(i * 0.7 + k * i))::FLOAT[] AS vector
     FROM range(${ROWS}) t(i)) TO '${file}'`,
  )
  connection.closeSync()
  const program = join(import.meta.dirname, 'programs', 'table.mjs')
  const { opened, read, peak } = JSON.parse(
    execFileSync(process.execPath, [program, file], { encoding: 'utf8' }),
  ) as Record<'opened' | 'read' | 'peak', number>
  const raw = ROWS * DIMENSION * 4
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
  console.log(`${ROWS} vectors of ${DIMENSION} numbers, Parquet: ${mebibytes(raw)} of floats`)
  console.log(`opened in ${(opened / 1000).toFixed(1)} s, a batch of 512 read in ${read.toFixed(2)} ms`)
  console.log(`peak of the whole process ${mebibytes(peak)}, ${(peak / raw).toFixed(2)} × the floats (aim: 1.5)`)
} finally {
  rmSync(folder, { recursive: true })
}
