/** Anchors worked through in parts give what they give at once; and memories work with every miner. */
import { expect, test } from 'vitest'
import { expectClose } from '../../test/tolerance.ts'
import { compile } from '../compile.ts'
import { differentiate } from '../graph/differentiate.ts'
import { input } from '../graph/value.ts'
import { metricsByName } from '../metrics/by-name.ts'
import { minerByName, minerNames } from '../mining/by-name.ts'
import { random } from '../random.ts'
import { valueAndGradient } from '../training/value-and-gradient.ts'
import { batchOf } from './batch.ts'
import { inParts } from './in-parts.ts'
import { contrastive, crossBatchMemory, type LabelledExamples, mean, multiSimilarity, triplet } from './index.ts'
import { overTriplets } from './over-triplets.ts'
import { sortedHinge } from './sorted-hinge.ts'

const [N, M, D] = [23, 31, 4]
const { uniform } = random(4, 'embeddings')
const numbers = (length: number) => Float32Array.from({ length }, () => uniform(-1, 1))
const labelsOf = (length: number) => Int32Array.from({ length }, (_, i) => (i * i) % 5)

test.each([...metricsByName.values()])('$name: parts of a batch, alone and with references', async (metric) => {
  const embeddings = input('x', 'float32', [N, D])
  const labels = input('labels', 'int32', [N])
  const references = { embeddings: input('y', 'float32', [M, D]), labels: input('others', 'int32', [M]) }
  const alone: LabelledExamples = { kind: 'labelled', embeddings, labels }
  for (const examples of [alone, { ...alone, references }]) {
    for (const termsOf of [
      (part: LabelledExamples) => sortedHinge(batchOf(part, metric), 0.3),
      (part: LabelledExamples) =>
        overTriplets(({ ap, an }) => ap.sub(an).softplus(), batchOf(part, metric), { kind: 'all' }, mean),
    ]) {
      expect(inParts(examples, 2 ** 20)).toBeUndefined()
      const [whole, parts] = [termsOf(examples), inParts(examples, 5 * M)!(termsOf)]
      const slope = (terms: typeof whole) => differentiate(mean.reduce(terms), [embeddings])[0]!
      const program = await compile({
        ...{ sum: whole.sum, count: whole.count, active: whole.active, slope: slope(whole) },
        ...{ sums: parts.sum, counts: parts.count, actives: parts.active, slopes: slope(parts) },
      })
      const found = await program.run({
        x: { dtype: 'float32', shape: [N, D], data: numbers(N * D) },
        y: { dtype: 'float32', shape: [M, D], data: numbers(M * D) },
        labels: { dtype: 'int32', shape: [N], data: labelsOf(N) },
        others: { dtype: 'int32', shape: [M], data: labelsOf(M) },
      })
      await program.release()
      for (const name of ['sum', 'count', 'active', 'slope']) {
        expectClose(found[`${name}s`]!.data as Float32Array, found[name]!.data as Float32Array, name, 1e-3, 1e-4)
      }
    }
  }
})

test.each(minerNames)('a memory works with the mining %s, over triplets, pairs and rows', async (name) => {
  const rows = Array.from({ length: 8 }, () => [...numbers(D)])
  const batch = { embeddings: rows, labels: [0, 1, 2, 0, 1, 2, 0, 1] }
  const mining = minerByName(name)
  for (const plain of [triplet({ mining, margin: 1 }), contrastive({ mining }), multiSimilarity({ mining })]) {
    const loss = crossBatchMemory(plain, { size: 14 })
    const { value, gradient } = await valueAndGradient(loss, batch)
    expect(Number.isFinite(value)).toBe(true)
    expect(gradient.flat().every(Number.isFinite)).toBe(true)
    // Of a memory that holds the batch alone, a miner picks what it picks of the batch; draws fall otherwise.
    if (['distanceWeighted', 'uniformHistogram'].includes(name)) continue
    expect(value, plain.name).toBeCloseTo((await valueAndGradient(plain, batch)).value, 4)
  }
})
