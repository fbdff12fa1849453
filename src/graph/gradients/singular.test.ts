/** Where gradients have to stay finite, though slopes are not. */
import { describe, expect, test } from 'vitest'
import { gradientsOf } from '../../../test/differences.ts'
import { differentiate } from '../differentiate.ts'
import { integers, one, scalar, type Value } from '../value.ts'

const slopeOf = (x: Value, y: Value) => differentiate(y.sum(), [x])[0]!

describe('where PyTorch gives NaN or infinity, nothing flows', () => {
  test.each<[string, (x: Value) => Value, number[], number[]]>([
    ['the norm of a zero vector', (x) => one('ReduceL2', [x], { keepdims: 0 }), [0, 0], [0, 0]],
    ['a zero vector at length 1', (x) => one('LpNormalization', [x], { axis: 0 }), [0, 0], [0, 0]],
    ['its first norm', (x) => one('LpNormalization', [x], { axis: 0, p: 1 }), [0, 0], [0, 0]],
    ['the root of zero', (x) => x.sqrt(), [0, 4], [0, 0.55 * 0.25]],
    ['arccos at its ends', (x) => x.acos(), [1, -1], [0, 0]],
    ['the logarithm of zero in a branch that is masked', (x) => x.greater(0).where(x.log(), 0), [0, 2], [0, 0.55 / 2]],
    ['its own gradient', (x) => slopeOf(x, x.greater(0).where(x.log(), 0)), [0, 2], [0, -0.55 / 4]],
    ['a reciprocal in a branch that is masked', (x) => x.greater(0).where(x.reciprocal(), 0), [0, 2], [0, -0.55 / 4]],
    ['a quotient in a branch that is masked', (x) => x.greater(0).where(scalar(3).div(x), 0), [0, 2], [0, -1.65 / 4]],
    ['a zero vector over its norm', (x) => x.div(one('ReduceL2', [x], { keepdims: 0 })), [0, 0], [0, 0]],
    ['the norm of a zero vector, as a power', (x) => x.square().sum().pow(0.5), [0, 0], [0, 0]],
    ['a power of 0', (x) => x.pow(0), [0, 4], [0, 0]],
    ['a power that is computed', (x) => x.pow(x.detach().mul(0.5)), [0, 2], [0, 0.55]],
  ])('%s', async (_, f, at, expected) => {
    const { gradients, release } = await gradientsOf(([x]) => f(x!), [[at.length]], [Float32Array.from(at)])
    await release()
    for (const [i, slope] of expected.entries()) expect(gradients[0]![i]).toBeCloseTo(slope, 5)
  })

  test('a product with zeros in it', async () => {
    const product = ([x]: Value[]) => one('ReduceProd', [x, integers([1])], { keepdims: 0 })
    const { gradients, release } = await gradientsOf(product, [[3, 3]], [Float32Array.of(2, 3, 4, 0, 3, 4, 0, 0, 4)])
    await release()
    const weights = [0.3, 0.55, 0.8]
    const expected = [12, 8, 6, 12, 0, 0, 0, 0, 0].map((x, i) => x * weights[Math.floor(i / 3)]!)
    expected.forEach((slope, i) => {
      expect(gradients[0]![i]).toBeCloseTo(slope, 4)
    })
  })
})
