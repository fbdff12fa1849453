/** Vectors for tests. */
import { type Source, vectors } from '../src/data/index.ts'
import type { VectorInput } from '../src/inputs/index.ts'
import { random } from '../src/random.ts'

const dimension = 8

/** Classes that three of eight numbers tell apart, while the others mean nothing. */
export function made(classes: number, each: number, seed: number): Source<VectorInput> {
  const { uniform } = random(seed, 'vectors')
  const data = new Float32Array(classes * each * dimension)
  const labels: string[] = []
  for (let name = 0; name < classes; name++) {
    const centre = [uniform(-1, 1), uniform(-1, 1), uniform(-1, 1)]
    for (let i = 0; i < each; i++) {
      const row = Array.from({ length: dimension }, (_, k) =>
        k < 3 ? centre[k]! + uniform(-0.1, 0.1) : uniform(-1, 1),
      )
      data.set(row, labels.length * dimension)
      labels.push(`class ${name}`)
    }
  }
  return vectors(data, { dimension, labels })
}
