/** The hinge over all triplets, sorted and visited: which is faster for how many positives an anchor. */

import { compile } from '../src/compile.ts'
import { differentiate } from '../src/graph/differentiate.ts'
import { input } from '../src/graph/value.ts'
import { batchOf } from '../src/losses/batch.ts'
import { overTriplets } from '../src/losses/over-triplets.ts'
import { mean } from '../src/losses/reducers.ts'
import { sortedHinge } from '../src/losses/sorted-hinge.ts'
import { cosine } from '../src/metrics/sphere.ts'
import { random } from '../src/random.ts'
import { medians } from './measure.ts'

const DIMENSION = 128
const MARGIN = 0.2

async function step(n: number, perClass: number, sorted: boolean) {
  const embeddings = input('embeddings', 'float32', [n, DIMENSION])
  const examples = {
    kind: 'labelled',
    embeddings,
    labels: input('labels', 'int32', [n]),
    largestClass: perClass,
  } as const
  const batch = batchOf(examples, cosine)
  const terms = sorted
    ? sortedHinge(batch, MARGIN)
    : overTriplets(({ ap, an }) => ap.add(MARGIN).sub(an).relu(), batch, { kind: 'all' })
  const value = mean.reduce(terms)
  const [gradient] = differentiate(value, [embeddings])
  const program = await compile({ value, gradient: gradient! }, { threads: 2 })
  const { uniforms } = random(0, 'bench')
  const feeds = {
    embeddings: {
      ...embeddings,
      dtype: 'float32',
      data: uniforms(n * DIMENSION, -1, 1),
    },
    labels: { dtype: 'int32', shape: [n], data: Int32Array.from({ length: n }, (_, i) => Math.floor(i / perClass)) },
  } as const
  return { run: () => program.run(feeds), release: () => program.release() }
}

console.log('Hinge over all triplets, d = 128, loss and gradient, two threads, median of 15')
console.log('batch  per class  sorted ms  visited ms')
for (const n of [128, 512, 1024]) {
  for (const perClass of [2, 4, 8, 16, 32]) {
    const steps = await Promise.all([step(n, perClass, true), step(n, perClass, false)])
    const [sorted, visited] = await medians(
      steps.map((each) => each.run),
      15,
    )
    for (const each of steps) await each.release()
    console.log(
      `${String(n).padStart(5)}  ${String(perClass).padStart(9)}  ${sorted!.toFixed(2).padStart(9)}  ${visited!.toFixed(2).padStart(10)}`,
    )
  }
}
