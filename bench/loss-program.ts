/** A loss and its gradient on random embeddings, as one program. */
import { compile } from '../src/compile.ts'
import { differentiate } from '../src/graph/differentiate.ts'
import { toInputs } from '../src/graph/inputs.ts'
import { input } from '../src/graph/value.ts'
import type { Loss } from '../src/losses/index.ts'
import { random } from '../src/random.ts'

const DIMENSION = 128

/** Four of each class; or class i has i + 1 members, until the batch is full. */
function labelsOf(n: number, classes: 'even' | 'uneven'): Int32Array {
  if (classes === 'even') return Int32Array.from({ length: n }, (_, i) => i >> 2)
  return Int32Array.from({ length: n }, (_, i) => Math.floor((Math.sqrt(8 * i + 1) - 1) / 2))
}

export interface LossProgram {
  run(): Promise<unknown>
  release(): Promise<void>
}

export async function lossProgram(loss: Loss, n: number, classes: 'even' | 'uneven' = 'even'): Promise<LossProgram> {
  const labels = labelsOf(n, classes)
  const sizes = new Map<number, number>()
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1)
  const embeddings = input('embeddings', 'float32', [n, DIMENSION])
  const variables = loss.variables?.({ dimension: DIMENSION, classes: sizes.size, seed: 0 }) ?? {}
  const own = toInputs(variables)
  const { value } = loss.build(
    {
      kind: 'labelled',
      embeddings,
      labels: input('labels', 'int32', [n]),
      largestClass: Math.max(...sizes.values()),
    },
    own,
  )
  const trained = Object.keys(own).filter((name) => variables[name]!.trained)
  const slopes = differentiate(value, [embeddings, ...trained.map((name) => own[name]!)])
  const outputs = Object.fromEntries(slopes.map((slope, i) => [`slope ${i}`, slope]))
  const program = await compile({ value, ...outputs }, { threads: 2 })
  const { uniforms } = random(0, 'bench')
  const feeds = {
    ...variables,
    embeddings: {
      dtype: 'float32',
      shape: [n, DIMENSION],
      data: uniforms(n * DIMENSION, -1, 1),
    },
    labels: { dtype: 'int32', shape: [n], data: labels },
  } as const
  return { run: () => program.run(feeds), release: () => program.release() }
}
