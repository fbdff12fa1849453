/** Gradients in other settings than the reference has, against finite differences. */
import { describe, expect, test } from 'vitest'
import { expectDifferences } from '../../../test/differences.ts'
import { compile } from '../../compile.ts'
import { differentiate } from '../differentiate.ts'
import { apply, constant, input, integers, one, scalar, type Value } from '../value.ts'

describe('finite differences', () => {
  const axes = (...of: number[]) => integers(of)
  test.each<[string, (inputs: Value[]) => Value, number[][]]>([
    ['Softmax, axis 0', ([x]) => one('Softmax', [x], { axis: 0 }), [[3, 4]]],
    ['Softmax, axis left out', ([x]) => one('Softmax', [x]), [[2, 3, 4]]],
    ['LogSoftmax, axis -2', ([x]) => one('LogSoftmax', [x], { axis: -2 }), [[2, 3, 4]]],
    ['LpNormalization, p 1', ([x]) => one('LpNormalization', [x], { axis: 0, p: 1 }), [[3, 4]]],
    ['LpNormalization, defaults', ([x]) => one('LpNormalization', [x]), [[2, 5]]],
    [
      'LayerNormalization over two axes',
      ([x, s, b]) => one('LayerNormalization', [x, s, b], { axis: 1 }),
      [
        [2, 3, 4],
        [3, 4],
        [3, 4],
      ],
    ],
    ['LayerNormalization without bias', ([x, s]) => one('LayerNormalization', [x, s], { axis: -1 }), [[3, 5], [5]]],
    [
      'LayerNormalization with its mean and deviation',
      ([x, s, b]) => {
        const [y, mean, inverse] = apply('LayerNormalization', [x, s, b], { axis: -1 })
        return y!.mul(inverse!).add(mean!)
      },
      [[3, 5], [5], [5]],
    ],
    [
      "LayerNormalization's own gradient",
      ([x, s]) => differentiate(one('LayerNormalization', [x, s], { axis: -1 }).pow(3).sum(), [x!])[0]!,
      [[3, 5], [5]],
    ],
    [
      'InstanceNormalization of sequences',
      ([x, s, b]) => one('InstanceNormalization', [x, s, b]),
      [[2, 3, 6], [3], [3]],
    ],
    [
      'BatchNormalization with its mean and variance',
      ([x, s, b]) => {
        const statistics = [0, 1].map((value) => constant('float32', [3], Array(3).fill(value)))
        const [y, mean, variance] = apply('BatchNormalization', [x, s, b, ...statistics], {
          training_mode: 1,
          momentum: 0,
        })
        const perChannel = mean!.mul(2).add(variance!.square()).reshape([3, 1])
        return y!.mul(perChannel)
      },
      [[4, 3, 2], [3], [3]],
    ],
    [
      "BatchNormalization's own gradient",
      ([x, s, b]) => {
        const statistics = [0, 1].map((value) => constant('float32', [3], Array(3).fill(value)))
        const [y] = apply('BatchNormalization', [x, s, b, ...statistics], { training_mode: 1, momentum: 0 })
        return differentiate(y!.pow(3).sum(), [x!])[0]!
      },
      [[4, 3, 2], [3], [3]],
    ],
    ['the gradient of a first power', ([x]) => differentiate(x!.pow(1).sum(), [x!])[0]!.mul(x!), [[4]]],
    ['ReduceProd of everything', ([x]) => one('ReduceProd', [x], { keepdims: 0 }), [[2, 3]]],
    ['ReduceProd over two axes', ([x]) => one('ReduceProd', [x, axes(0, -1)], { keepdims: 1 }), [[2, 3, 2]]],
    ['ReduceL2 of everything', ([x]) => one('ReduceL2', [x], { keepdims: 0 }), [[2, 3]]],
    ['Elu, alpha 0.7', ([x]) => one('Elu', [x!.sub(0.8)], { alpha: 0.7 }), [[7]]],
    ['Selu, its own constants', ([x]) => one('Selu', [x!.sub(0.8)], { alpha: 1.2, gamma: 0.9 }), [[7]]],
    ['HardSigmoid, defaults', ([x]) => one('HardSigmoid', [x!.sub(0.8).mul(5)]), [[7]]],
    [
      'PRelu, one slope for each channel',
      ([x, s]) => one('PRelu', [x!.sub(0.8), s]),
      [
        [2, 3, 4],
        [3, 1],
      ],
    ],
    ['Clip without a lower bound', ([x]) => one('Clip', [x, undefined, scalar(0.9)]), [[9]]],
    ['Clip without bounds', ([x]) => one('Clip', [x]), [[4]]],
    [
      'MaxPool with places between',
      ([x]) => one('MaxPool', [x], { kernel_shape: [2], strides: [2], dilations: [2] }),
      [[1, 2, 8]],
    ],
    [
      'MaxPool, columns first',
      ([x]) => one('MaxPool', [x], { kernel_shape: [2, 2], strides: [1, 1], storage_order: 1 }),
      [[1, 1, 3, 4]],
    ],
    ['GlobalMaxPool of sequences', ([x]) => one('GlobalMaxPool', [x]), [[2, 3, 5]]],
    ['Tile', ([x]) => one('Tile', [x, axes(1, 3, 2)]), [[2, 3, 1]]],
    [
      'Split, all parts in use',
      ([x]) => {
        const [a, b, c] = apply('Split', [x, axes(1, 2, 1)], { axis: -1 })
        return a!.add(b!.square()).add(c!.mul(3))
      },
      [[3, 4]],
    ],
    [
      'Split into a number of parts',
      ([x]) => {
        const [a, b] = apply('Split', [x], { axis: 0, num_outputs: 2 })
        return a!.slice(0, 0, 1).mul(b!)
      },
      [[3, 2]],
    ],
    ['Trilu, lower, off the diagonal', ([x]) => one('Trilu', [x, scalar(-1, 'int64')], { upper: 0 }), [[2, 3, 4]]],
    [
      'GatherND of rows, repeated and from the end',
      ([x]) => one('GatherND', [x, constant('int64', [4, 1], [1, 1, -1, 0])]),
      [[3, 2]],
    ],
    [
      'Einsum, letters of one operand alone',
      ([a, b]) => one('Einsum', [a, b], { equation: 'ijk,jl->l' }),
      [
        [2, 3, 4],
        [3, 5],
      ],
    ],
    ['Einsum of one operand, implicit result', ([a]) => one('Einsum', [a], { equation: 'ba' }), [[2, 3]]],
    [
      'Einsum of three',
      ([a, b, c]) => one('Einsum', [a, b, c], { equation: 'bhqd,bhkd,bk->bhq' }),
      [
        [2, 2, 3, 2],
        [2, 2, 4, 2],
        [2, 4],
      ],
    ],
  ])('%s', (_, f, shapes) => expectDifferences(f, shapes))
})

test('repeated places of GatherND add up exactly, on two threads, every time', async () => {
  const [rows, picks] = [50, 20_000]
  const places = Array.from({ length: picks }, (_, i) => (i * 7) % rows)
  const f = ([x]: Value[]) =>
    one('GatherND', [x, constant('int64', [picks, 1], places)])
      .mul(0)
      .add(one('GatherND', [x, constant('int64', [picks, 1], places)]))
  const inputs = [input('x', 'float32', [rows, 4])]
  const [gradient] = differentiate(f(inputs).sum(), inputs)
  const program = await compile({ gradient: gradient! }, { threads: 2 })
  for (let round = 0; round < 5; round++) {
    const results = await program.run({ x: { dtype: 'float32', shape: [rows, 4], data: new Float32Array(rows * 4) } })
    expect(Array.from(results.gradient!.data as Float32Array)).toEqual(Array(rows * 4).fill(picks / rows))
  }
  await program.release()
})

test.each<[string, () => unknown, RegExp]>([
  [
    'PRelu',
    () => one('PRelu', [input('x', 'float32', [2, 3]), input('s', 'float32', [2, 2, 3])]),
    /PRelu\(.*does not broadcast to float32 \[2, 3\]/,
  ],
  [
    'LayerNormalization',
    () => one('LayerNormalization', [input('x', 'float32', [2, 3]), input('s', 'float32', [4])]),
    /LayerNormalization\(/,
  ],
  [
    'InstanceNormalization',
    () =>
      one('InstanceNormalization', [
        input('x', 'float32', [2, 3]),
        input('s', 'float32', [3]),
        input('b', 'float32', [3]),
      ]),
    /spatial/,
  ],
  ['Tile', () => one('Tile', [input('x', 'float32', [2, 3]), integers([2])]), /needs 2 repeats, found 1/],
  [
    'Split',
    () => apply('Split', [input('x', 'float32', [2, 3]), integers([1, 1])], { axis: 1 }),
    /cannot be split into 1 \+ 1/,
  ],
  ['Einsum', () => one('Einsum', [input('x', 'float32', [2, 3])], { equation: 'ii->i' }), /repeated letter/],
  [
    'Einsum',
    () => one('Einsum', [input('x', 'float32', [2, 3]), input('y', 'float32', [2, 3])], { equation: 'ij,jk->ik' }),
    /j of ij,jk->ik is 3 and 2/,
  ],
  ['GatherND', () => one('GatherND', [input('x', 'float32', [3]), constant('int64', [1, 2], [0, 0])]), /deeper/],
  ['Gelu', () => one('Gelu', [input('x', 'float32', [3])], { approximate: 'fast' }), /expected none or tanh/],
])('%s says what does not fit', (_, build, message) => {
  expect(build).toThrow(message)
})

test.each([
  ['a number', [], [1]],
  ['from the end', [], [-1]],
  ['a list of one', [1], [2]],
])('one known place of a Gather, %s, gets the gradient and the others nothing', async (_, shape, index) => {
  const x = input('x', 'float32', [2, 3, 2])
  const picked = x.gather(constant('int64', shape, index), 1)
  const upstream = input('g', 'float32', picked.shape)
  const [gradient] = differentiate(picked, [x], upstream)
  const program = await compile({ gradient: gradient! })
  const g = Float32Array.of(1, 2, 3, 4)
  const found = await program.run({ g: { dtype: 'float32', shape: picked.shape, data: g } })
  await program.release()
  const place = (index[0]! + 3) % 3
  const expected = Array.from({ length: 12 }, (_, i) =>
    Math.floor(i / 2) % 3 === place ? g[Math.floor(i / 6) * 2 + (i % 2)] : 0,
  )
  expect([...found.gradient!.data]).toEqual(expected)
})
