/** Gradients against finite differences. */
import { expect } from 'vitest'
import { compile } from '../src/compile.ts'
import { differentiate } from '../src/graph/differentiate.ts'
import { constant, input, type Value } from '../src/graph/value.ts'
import { random } from '../src/random.ts'
import { size } from '../src/tensor.ts'

const { uniform } = random(0, 'gradients')
const numbers = (shape: readonly number[]) => Float32Array.from({ length: size(shape) }, () => uniform(0.2, 1.4))

/** The gradient of Σ weights · f(inputs) with respect to each input, and the value, at given inputs. */
export async function gradientsOf(
  f: (inputs: Value[]) => Value,
  shapes: readonly (readonly number[])[],
  data: readonly Float32Array[],
) {
  const inputs = shapes.map((shape, i) => input(`x${i}`, 'float32', shape))
  const y = f(inputs)
  const weights = constant(
    'float32',
    y.shape,
    Array.from({ length: size(y.shape) }, (_, i) => 0.3 + (i % 5) / 4),
  )
  const value = y.mul(weights).sum()
  const gradients = differentiate(value, inputs)
  const program = await compile({ value, ...Object.fromEntries(gradients.map((g, i) => [`g${i}`, g])) }, { threads: 2 })
  const at = async (points: readonly Float32Array[]) =>
    program.run(Object.fromEntries(points.map((x, i) => [`x${i}`, { dtype: 'float32', shape: shapes[i]!, data: x }])))
  const results = await at(data)
  return {
    gradients: shapes.map((_, i) => results[`g${i}`]!.data as Float32Array),
    value: async (points: readonly Float32Array[]) => (await at(points)).value!.data[0] as number,
    release: () => program.release(),
  }
}

/** Compares the gradients at drawn inputs with what small steps of each of their numbers change. */
export async function expectDifferences(f: (inputs: Value[]) => Value, shapes: readonly (readonly number[])[]) {
  const data = shapes.map(numbers)
  const { gradients, value, release } = await gradientsOf(f, shapes, data)
  for (const [i, gradient] of gradients.entries()) {
    for (const k of gradient.keys()) {
      const step = 5e-3
      const moved = (by: number) => data.map((x, j) => (j === i ? x.with(k, x[k]! + by) : x))
      const slope = ((await value(moved(step))) - (await value(moved(-step)))) / (2 * step)
      expect(Math.abs(gradient[k]! - slope), `input ${i}, element ${k}: ${gradient[k]} for ${slope}`).toBeLessThan(
        5e-3 + 0.02 * Math.abs(slope),
      )
    }
  }
  await release()
}
