/** Evaluating 60,000 embeddings, all against all, beside the search alone in faiss's flat index. */
import { evaluate } from '../src/evaluation/index.ts'
import { cosine } from '../src/metrics/index.ts'
import { random } from '../src/random.ts'
import { median } from './measure.ts'
import { startPeer } from './peer.ts'

const [ROWS, DIMENSION, PER_CLASS, ROUNDS] = [60_000, 128, 10, 3]

const { uniform, uniforms } = random(0, 'bench')
const centres = uniforms((ROWS / PER_CLASS) * DIMENSION, -1, 1)
const data = Float32Array.from({ length: ROWS * DIMENSION }, (_, i) => {
  const [row, column] = [Math.floor(i / DIMENSION), i % DIMENSION]
  return centres[Math.floor(row / PER_CLASS) * DIMENSION + column]! + uniform(-1, 1)
})
// Of unit length, as the embeddings of a model are in a metric of directions, and as the peer has them.
for (let row = 0; row < ROWS; row++) {
  const vector = data.subarray(row * DIMENSION, (row + 1) * DIMENSION)
  const length = Math.hypot(...vector)
  for (let i = 0; i < DIMENSION; i++) vector[i]! /= length
}
const embeddings = { dtype: 'float32', shape: [ROWS, DIMENSION], data } as const
const labels = Array.from({ length: ROWS }, (_, row) => Math.floor(row / PER_CLASS))

const peer = startPeer('evaluation', 'faiss')
const times: [number[], number[]] = [[], []]
for (let round = 0; round < ROUNDS; round++) {
  const start = performance.now()
  const { precisionAt1, meanAveragePrecisionAtR } = await evaluate({ embeddings, labels }, cosine, {
    only: 'retrieval',
    threads: 2,
  })
  times[0].push(performance.now() - start)
  if (peer) times[1].push(await peer.time(''))
  if (round > 0) continue
  console.log(`precision@1 ${precisionAt1.toFixed(4)}, MAP@R ${meanAveragePrecisionAtR.toFixed(4)}`)
}
peer?.close()
const [ours, theirs] = times.map(median) as [number, number]
const beside = peer ? `; faiss's search alone ${theirs.toFixed(0)} ms, ratio ${(ours / theirs).toFixed(2)}` : ''
console.log(`${ROWS} × ${DIMENSION}, all measures of retrieval: ${ours.toFixed(0)} ms${beside}`)
