/** Forms of operators that ONNX allows and graphs here do not: brought to those that they take. */
import { expect, test } from 'vitest'
import { changed, embed, features, read, runOnce, trained } from '../../../test/imported.ts'
import { model, node, tensor, type Written, weights } from '../../../test/onnx.ts'
import { expectClose } from '../../../test/tolerance.ts'
import { writeModel } from '../../onnx/codec.ts'
import { spelledOut } from './equation.ts'

test.each(['int32', 'int64'] as const)('a power of an exponent of %s', async (dtype) => {
  const written: Written = {
    nodes: [node('MatMul', ['x', 'w'], ['h']), node('Pow', ['h', 'three'], ['out'])],
    initializers: { w: weights([4, 3]), three: tensor(dtype, [], [3]) },
    inputs: { x: ['float32', 'n', 4] },
  }
  const encoder = await read(written)
  const { out } = await runOnce(writeModel(model(written)), features(6))
  expectClose((await embed(encoder, features(6))).data, out!.data, 'powers')
  expect(changed(encoder, await trained(encoder, features(6)))).toEqual(['w'])
  // As of an exponent of float32.
  const plain = await read({ ...written, initializers: { ...written.initializers, three: tensor('float32', [], [3]) } })
  expect((await trained(encoder, features(6))).w!.data).toEqual((await trained(plain, features(6))).w!.data)
})

test('a power of an exponent that is fed as an integer', async () => {
  const written: Written = {
    nodes: [node('MatMul', ['x', 'w'], ['h']), node('Pow', ['h', 'k'], ['out'])],
    initializers: { w: weights([4, 3]) },
    inputs: { x: ['float32', 'n', 4], k: ['int64', 'n', 1] },
  }
  const fed = { ...features(6), k: tensor('int64', [6, 1], [1, 2, 3, 1, 2, 3]) }
  const encoder = await read(written)
  const { out } = await runOnce(writeModel(model(written)), fed)
  expectClose((await embed(encoder, fed)).data, out!.data, 'powers')
  expect(changed(encoder, await trained(encoder, fed))).toEqual(['w'])
})

test.each([
  ['...ij,jk->...ik', [4, 3]],
  ['... i j , j k -> ... i k', [4, 3]],
  ['...j,jk', [4, 3]],
  ['n...j,jA->n...A', [4, 3]],
  ['ntj...,jk...->nk...t', [4, 3]],
])('the ellipsis of %s', async (equation, shape) => {
  const written: Written = {
    nodes: [node('Einsum', ['x', 'w'], ['e'], { equation }), node('Flatten', ['e'], ['out'])],
    initializers: { w: weights(shape) },
    inputs: { x: ['float32', 'n', 5, 4] },
  }
  const x = weights([6, 5, 4], 3)
  const { out } = await runOnce(writeModel(model(written)), { x })
  const encoder = await read(written)
  expectClose((await embed(encoder, { x })).data, out!.data, equation)
  expect(changed(encoder, await trained(encoder, { x }))).toEqual(['w'])
})

test('an ellipsis is spelled out for the ranks at hand', () => {
  expect(spelledOut('ij,jk->ik', [2, 2])).toBe('ij,jk->ik')
  expect(spelledOut('...ij,...jk->...ik', [4, 4])).toBe('ABij,ABjk->ABik')
  expect(spelledOut('...A,A...', [2, 2])).toBe('BA,AB->B')
  expect(spelledOut('...j,kj', [3, 2])).toBe('ABj,kj->ABk')
  expect(spelledOut('...,...->...', [0, 0])).toBe(',->')
})

test.each([
  ['...ij,...jk->...ik', /The ellipsis of .* stands for 1 and 0 axes; expected as many in each operand/],
  ['...abcd,jk->...k', /stands for -1 axes/],
  ['...ij,jk->ik', /an ellipsis on one side of the arrow alone/],
  ['...ij->...ji', /has 1 operands, found 2/],
  ['...ii,jk->...k', /repeated letter/],
])('%s is refused', async (equation, message) => {
  const written: Written = {
    nodes: [node('Einsum', ['x', 'w'], ['out'], { equation })],
    initializers: { w: weights([4, 3]) },
    inputs: { x: ['float32', 'n', 5, 4] },
  }
  await expect(read(written)).rejects.toThrow(message)
  await expect(read(written)).rejects.toThrow(/^Einsum \(Einsum to out\) cannot be built\. /)
})
