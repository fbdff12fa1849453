/** Shapes that files compute, windows that they leave to be worked out, and what is refused by name. */
import { expect, test } from 'vitest'
import { changed, embed, linear, read, runOnce, trained } from '../../../test/imported.ts'
import { model, node, tensor, type Written, weights } from '../../../test/onnx.ts'
import { expectClose } from '../../../test/tolerance.ts'
import { writeModel } from '../../onnx/codec.ts'
import type { ImportOptions } from './encoder.ts'

/** Tokens [n, t] → states [n, t, 4], with shapes computed on the way as PyTorch and others do. */
const tokens: Written = {
  nodes: [
    node('Shape', ['ids'], ['shape']),
    node('Constant', [], ['zero'], { value: tensor('int64', [], [0]) }),
    node('Constant', [], ['one'], { value_int: 1 }),
    node('Gather', ['shape', 'zero'], ['n']),
    node('Gather', ['shape', 'one'], ['t']),
    node('Range', ['zero', 't', 'one'], ['places']),
    node('Gather', ['table', 'ids'], ['embedded']),
    node('Gather', ['positions', 'places'], ['placed']),
    node('Add', ['embedded', 'placed'], ['sum']),
    // A mask of everything, made of shapes: ConstantOfShape, Equal, Where, Expand, Cast.
    node('Unsqueeze', ['n', 'axis'], ['n1']),
    node('Unsqueeze', ['t', 'axis'], ['t1']),
    node('Concat', ['n1', 't1', 'ones1'], ['maskShape'], { axis: 0 }),
    node('ConstantOfShape', ['maskShape'], ['filled'], { value: tensor('int64', [1], [-1]) }),
    node('Equal', ['filled', 'minus'], ['isMinus']),
    node('Where', ['isMinus', 'half', 'none'], ['halves']),
    node('Expand', ['halves', 'maskShape'], ['expanded']),
    node('Cast', ['isMinus'], ['mask'], { to: 1 }),
    node('Mul', ['expanded', 'mask'], ['weight']),
    node('Mul', ['sum', 'weight'], ['weighted']),
    // [n, t, 4] → [n · t, 4] → [n, t, 4] by a shape of its own.
    node('Reshape', ['weighted', 'flat'], ['rows']),
    node('MatMul', ['rows', 'w'], ['product']),
    node('Shape', ['weighted'], ['back']),
    node('Reshape', ['product', 'back'], ['out']),
  ],
  initializers: {
    table: weights([9, 4]),
    positions: weights([12, 4], 2),
    w: weights([4, 4], 3),
    axis: tensor('int64', [1], [0]),
    ones1: tensor('int64', [1], [1]),
    minus: tensor('int64', [], [-1]),
    half: tensor('float32', [], [0.5]),
    none: tensor('float32', [], [0]),
    flat: tensor('int64', [2], [-1, 4]),
  },
  inputs: { ids: ['int64', 'n', 't'] },
}

const ids = (n: number, t: number) => ({
  ids: tensor(
    'int64',
    [n, t],
    Array.from({ length: n * t }, (_, i) => (i * 5 + n) % 9),
  ),
})

test.each([
  [2, 3],
  [5, 7],
  [1, 1],
])('shapes that a file computes, for %i rows of %i tokens', async (n, t) => {
  const encoder = await read(tokens, { pool: 'first' })
  expect(Object.keys(encoder.variables(0))).toEqual(['table', 'positions', 'w'])
  const { out } = await runOnce(writeModel(model(tokens)), ids(n, t))
  expect(out!.shape).toEqual([n, t, 4])
  const found = await embed(encoder, ids(n, t))
  expect(found.shape).toEqual([n, 4])
  const first = Array.from({ length: n * 4 }, (_, i) => Number(out!.data[Math.floor(i / 4) * t * 4 + (i % 4)]))
  expectClose(found.data, first, 'first tokens')
  expect(changed(encoder, await trained(encoder, ids(6, t)))).toEqual(['table', 'positions', 'w'])
})

test('windows with automatic pads, and with an edge that a whole window does not cover', async () => {
  const image = weights([2, 3, 7, 6], 4)
  const cases = [
    node('Conv', ['image', 'w'], ['out'], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
    node('Conv', ['image', 'w'], ['out'], { auto_pad: 'SAME_LOWER', strides: [2, 2], kernel_shape: [3, 2] }),
    node('Conv', ['image', 'w'], ['out'], { auto_pad: 'VALID', dilations: [2, 1] }),
    node('MaxPool', ['image'], ['out'], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }),
    node('MaxPool', ['image'], ['out'], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
  ]
  for (const each of cases) {
    const written: Written = {
      nodes: [each, node('Flatten', ['out'], ['flat']), node('Mul', ['flat', 'one'], ['end'])],
      initializers: { w: weights([2, 3, 3, 2]), one: tensor('float32', [1], [1]) },
      inputs: { image: ['float32', 'n', 3, 7, 6] },
      outputs: ['end'],
    }
    const { end } = await runOnce(writeModel(model(written)), { image })
    const found = await embed(await read(written, { std: 1 / 255 }), { pixels: image })
    expect(found.shape).toEqual(end!.shape)
    expectClose(found.data, end!.data, each.name!)
  }
})

test('a transpose that leaves its order to be worked out', async () => {
  const encoder = await read({
    nodes: [
      node('Transpose', ['w'], ['columns']),
      node('MatMul', ['x', 'columns'], ['h']),
      node('Unsqueeze', ['h', 'axis'], ['h3']),
      node('Transpose', ['h3'], ['back']),
      node('ReduceMean', ['back'], ['mean'], { axes: [0], keepdims: 0 }),
      node('Transpose', ['mean'], ['out']),
    ],
    initializers: { w: weights([3, 4]), axis: tensor('int64', [1], [2]) },
    inputs: { x: ['float32', 'n', 4] },
  })
  expect(changed(encoder, await trained(encoder, { x: weights([6, 4]) }))).toEqual(['w'])
})

test.each<[string, Partial<Written>, ImportOptions, RegExp]>([
  [
    'an operator without a rule',
    { nodes: [node('Det', ['x'], ['d']), node('MatMul', ['d', 'w'], ['out'])] },
    {},
    /uses Det \(Det to d\), for which there is no rule/,
  ],
  [
    'another domain',
    { nodes: [{ ...node('Fused', ['x', 'w'], ['out']), domain: 'com.example' }] },
    {},
    /uses com\.example\.Fused \(Fused to out\)/,
  ],
  [
    'no gradient behind parameters',
    {
      nodes: [
        node('MatMul', ['x', 'w'], ['h']),
        node('Unsqueeze', ['h', 'axes'], ['h4']),
        node('GridSample', ['h4', 'grid'], ['out']),
      ],
      initializers: { w: weights([4, 4]), axes: tensor('int64', [2], [0, 1]), grid: weights([1, 2, 2, 2]) },
    },
    {},
    /No gradient is known of GridSample \(GridSample to out\), and parameters come before/,
  ],
  [
    'a setting without a gradient behind parameters',
    {
      nodes: [
        node('MatMul', ['x', 'w'], ['h']),
        node('ScatterElements', ['h', 'first', 'more'], ['out'], { axis: 1, reduction: 'mul' }),
      ],
      initializers: { w: weights([4, 3]), first: tensor('int64', [2, 1], [0, 0]), more: weights([2, 1]) },
      operatorSet: 18,
    },
    {},
    /No gradient is known of ScatterElements \(ScatterElements to out\) with reduction mul, and parameters come before/,
  ],
  ['an old operator set', { operatorSet: 12 }, {}, /operator set 12; expected 13 to 26.*opset_version=13/],
  ['one from the future', { operatorSet: 99 }, {}, /operator set 99; expected 13 to 26.*opset_version=26/],
  [
    'a value that nothing gives',
    { nodes: [node('MatMul', ['x', 'lost'], ['out'])] },
    {},
    /MatMul \(MatMul to out\) uses lost, which nothing/,
  ],
  [
    'shapes that do not fit',
    { initializers: { w: weights([5, 3]), b: weights([3]) } },
    {},
    /Gemm \(Gemm to out\) cannot be built.*inner extents differ/,
  ],
  [
    'a shape that depends on what is fed',
    {
      nodes: [
        node('Cast', ['x'], ['whole'], { to: 7 }),
        node('ReduceMax', ['whole'], ['largest'], { keepdims: 0 }),
        node('Reshape', ['w', 'largest'], ['out']),
      ],
    },
    {},
    /Reshape \(Reshape to out\) cannot be built.*must be a constant/,
  ],
  [
    'a batch that was fixed',
    {
      nodes: [node('Reshape', ['x', 'fixed'], ['one']), node('MatMul', ['one', 'w'], ['out'])],
      initializers: { w: weights([8, 3]), fixed: tensor('int64', [2], [1, -1]) },
    },
    {},
    /For a batch of 2, out is float32 \[1, 3\]; expected .*free batch axis/,
  ],
  [
    'float64',
    { nodes: [node('Cast', ['x'], ['double'], { to: 11 }), node('MatMul', ['double', 'w'], ['out'])] },
    {},
    /Cast \(Cast to double\) makes float64; expected float32/,
  ],
  [
    'a constant larger than memory',
    {
      nodes: [
        node('ConstantOfShape', ['huge'], ['c']),
        node('MatMul', ['x', 'w'], ['h']),
        node('Add', ['h', 'c'], ['out']),
      ],
      initializers: { w: weights([4, 3]), huge: tensor('int64', [2], [1e6, 1e6]) },
    },
    {},
    /ConstantOfShape \(ConstantOfShape to c\) gives a constant of 1000000000000 elements/,
  ],
  ['a head without a width', {}, { head: { kind: 'linear', dimension: 0 } }, /layers of at least 1 number, found 0/],
])('%s is refused by name', async (_, written, options, message) => {
  await expect(read({ ...linear, ...written }, options)).rejects.toThrow(message)
})
