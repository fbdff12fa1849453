/**
 * Exact search of 1,000 queries in 1,000,000 vectors, beside faiss's flat index, and the memory that it takes: that of a process, so
 * it is each task's own where one alone is named, as `npx tsx bench/search.ts euclidean,10`.
 */
import { chord, cosine, euclidean, type Metric } from '../src/metrics/index.ts'
import { random } from '../src/random.ts'
import { openSearcher } from '../src/search/index.ts'
import { matrixRate, median } from './measure.ts'
import { startPeer } from './peer.ts'

const [QUERIES, GALLERY, DIMENSION, ROUNDS] = [1000, 1_000_000, 128, 5]
const named = process.argv[2]

/** Rows of normally distributed directions, as the peer has them. */
function unit(rows: number, seed: string) {
  const { uniform } = random(0, seed)
  const data = new Float32Array(rows * DIMENSION)
  for (let row = 0; row < rows; row++) {
    const vector = data.subarray(row * DIMENSION, (row + 1) * DIMENSION)
    let square = 0
    for (let i = 0; i < DIMENSION; i++) {
      vector[i] = Math.sqrt(-2 * Math.log(1 - uniform(0, 1))) * Math.cos(2 * Math.PI * uniform(0, 1))
      square += vector[i]! ** 2
    }
    for (let i = 0; i < DIMENSION; i++) vector[i]! /= Math.sqrt(square)
  }
  return { dtype: 'float32', shape: [rows, DIMENSION], data } as const
}

const [queries, gallery] = [unit(QUERIES, 'queries'), unit(GALLERY, 'gallery')]
const few = { ...queries, shape: [1, DIMENSION], data: queries.data.subarray(0, DIMENSION) }
const floats = gallery.data.byteLength
const before = process.memoryUsage().rss

const tasks: readonly [Metric, string, number][] = [
  [cosine, 'ip', 10],
  [chord, 'ip', 10],
  [euclidean, 'l2', 10],
  [cosine, 'ip', 100],
]
const peer = startPeer('search', 'faiss', [`${QUERIES},${GALLERY},${DIMENSION}`])
for (const [metric, theirs, k] of tasks) {
  if (named !== undefined && named !== `${metric.name},${k}`) continue
  const searcher = openSearcher(gallery, metric, { k, threads: 2 })
  const times: [number[], number[], number[]] = [[], [], []]
  for (let round = -1; round < ROUNDS; round++) {
    for (const [i, asked] of [queries, few].entries()) {
      const start = performance.now()
      await searcher.nearest(asked)
      if (round >= 0) times[i]!.push(performance.now() - start)
    }
    const time = peer && (await peer.time(`${theirs} ${k}`))
    if (time !== undefined && round >= 0) times[2].push(time)
  }
  const peak = process.resourceUsage().maxRSS * 1024
  await searcher.release()
  const [all, one, other] = times.map((each) => (each.length > 0 ? median(each) : undefined))
  const beside = other === undefined ? '' : `; faiss ${other.toFixed(0)} ms, ratio ${(all! / other).toFixed(2)}`
  console.log(
    `${metric.name}, k = ${k}: ${QUERIES} × ${GALLERY} × ${DIMENSION} in ${all!.toFixed(0)} ms (one query ${one!.toFixed(0)} ms)${beside}; ` +
      `peak ${((peak - before + floats) / floats).toFixed(2)} × the vectors`,
  )
}
peer?.close()
const rate = await matrixRate()
const product = (2 * QUERIES * GALLERY * DIMENSION) / 1e6 / rate
console.log(`The product alone takes ${product.toFixed(0)} ms at ${rate.toFixed(0)} GFLOP/s.`)
