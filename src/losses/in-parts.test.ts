/** Anchors worked through in parts give what they give at once. */
import { expect, test } from 'vitest'
import { expectClose } from '../../test/tolerance.ts'
import { compile } from '../compile.ts'
import { differentiate } from '../graph/differentiate.ts'
import { input } from '../graph/value.ts'
import { metricsByName } from '../metrics/by-name.ts'
import { random } from '../random.ts'
import { batchOf } from './batch.ts'
import { inParts } from './in-parts.ts'
import { type LabelledExamples, mean } from './index.ts'
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
