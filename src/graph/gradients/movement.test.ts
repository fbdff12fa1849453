/** Gradients of what moves, repeats and resamples, in every mode, against finite differences; and those that are refused. */
import { describe, expect, test } from 'vitest'
import { expectDifferences } from '../../../test/differences.ts'
import { differentiate } from '../differentiate.ts'
import { apply, constant, input, integers, one, type Value } from '../value.ts'

const list = (...values: number[]) => constant('float32', [values.length], values)

describe('Pad', () => {
  test.each(['constant', 'edge', 'reflect', 'wrap'])('%s', (mode) =>
    expectDifferences(([x]) => one('Pad', [x, integers([1, 2, 0, 1])], { mode }), [[3, 4]]),
  )
  test.each(['constant', 'edge', 'reflect', 'wrap'])('%s, cropped at an end', async (mode) => {
    for (const pads of [
      [-1, 1],
      [2, -1],
      [-1, 2],
      [-1, -2],
    ]) {
      await expectDifferences(([x]) => one('Pad', [x, integers(pads)], { mode }), [[5]])
    }
  })
  test('of some axes', () =>
    expectDifferences(
      ([x]) => one('Pad', [x, integers([2, 1]), undefined, integers([-1])], { mode: 'edge' }),
      [[2, 3]],
    ))
  test('far beyond the edge', () =>
    expectDifferences(([x]) => one('Pad', [x, integers([7, 8])], { mode: 'edge' }), [[3]]))
  test.each(['reflect', 'wrap'])('%s of more than there is, of which the runtime takes other memory', (mode) => {
    const padded = () => one('Pad', [input('x', 'float32', [3, 2]), integers([0, 0, 0, 3])], { mode })
    expect(padded).toThrow(`${mode} cannot give 3 elements beside axis 1 of float32 [3, 2]`)
  })
})

describe('Resize', () => {
  const coordinates = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'half_pixel_symmetric']
  const sizes = [
    [5, 7],
    [2, 1],
    [3, 8],
  ] as const
  test.each(coordinates.flatMap((mode) => ['linear', 'cubic'].map((kind) => [kind, mode] as const)))(
    '%s, %s',
    async (mode, coordinate_transformation_mode) => {
      for (const [height, width] of sizes) {
        const resized = ([x]: Value[]) =>
          one('Resize', [x, undefined, undefined, integers([1, 2, height, width])], {
            mode,
            coordinate_transformation_mode,
          })
        await expectDifferences(resized, [[1, 2, 3, 4]])
      }
    },
  )
  const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']
  test.each(coordinates.flatMap((mode) => roundings.map((rounding) => [rounding, mode] as const)))(
    'nearest, %s, %s',
    async (nearest_mode, coordinate_transformation_mode) => {
      const attributes = { mode: 'nearest', nearest_mode, coordinate_transformation_mode }
      for (const factors of [list(1, 1, 2, 3), list(1, 1, 1.5, 0.6), list(2, 3, 1, 2.5)]) {
        await expectDifferences(([x]) => one('Resize', [x, undefined, factors], attributes), [[1, 2, 4, 5]])
      }
    },
  )
  test.each<[string, Record<string, number | string>]>([
    ['another slope', { cubic_coeff_a: -0.5 }],
    ['nothing from outside', { exclude_outside: 1 }],
    ['smoothed', { antialias: 1 }],
  ])('cubic, %s', (_, attributes) =>
    expectDifferences(
      ([x]) => one('Resize', [x, undefined, list(1, 1, 1.5, 2)], { mode: 'cubic', ...attributes }),
      [[1, 1, 4, 4]],
    ),
  )
  test('smoothed to fewer places', () =>
    expectDifferences(
      ([x]) => one('Resize', [x, undefined, list(1, 1, 0.5, 0.6)], { mode: 'linear', antialias: 1 }),
      [[1, 2, 4, 5]],
    ))
  test('of some axes', () =>
    expectDifferences(
      ([x]) => apply('Resize', [x, undefined, list(2, 1.5)], { mode: 'linear', axes: [2, 3] })[0]!,
      [[1, 1, 3, 4]],
    ))
  test.each<[Value[], Record<string, string>, RegExp]>([
    [[list(1, 2)], {}, /needs 4 factors above 0, found 1, 2/],
    [[list(1, 1, 0, 1)], {}, /needs 4 factors above 0/],
    [[list(1, 1, 0.1, 1)], {}, /nothing is left of axis 2/],
    [[], {}, /input 2 is missing/],
    [[list(1, 1, 2, 2)], { keep_aspect_ratio_policy: 'not_larger' }, /only stretch/],
  ])('what cannot be is told: %#', (factors, attributes, message) => {
    expect(() => one('Resize', [input('x', 'float32', [1, 1, 4, 4]), undefined, ...factors], attributes)).toThrow(
      message,
    )
  })
})

describe('ScatterElements and GatherElements', () => {
  const places = constant('int64', [2, 2], [2, 0, 1, -1])
  test.each(['none', 'add'])('reduction %s', (reduction) =>
    expectDifferences(
      ([x, u]) => one('ScatterElements', [x, places, u], { axis: 1, reduction }),
      [
        [3, 3],
        [2, 2],
      ],
    ),
  )
  test('fewer lines than there are', () => expectDifferences(([x]) => x!.gatherElements(places, 1), [[3, 3]]))
})

test.each<[string, Record<string, string | number>, string]>([
  ['ScatterElements', { reduction: 'mul' }, 'ScatterElements with reduction mul has no gradient'],
  ['ScatterElements', { reduction: 'max' }, 'reduction max'],
  ['Resize', { coordinate_transformation_mode: 'tf_crop_and_resize' }, 'Resize with coordinate_transformation_mode'],
])('of %s with %o no gradient is known', (operator, attributes, message) => {
  const x = input('x', 'float32', [1, 1, 2, 2])
  const others =
    operator === 'Resize'
      ? [undefined, list(1, 1, 2, 2)]
      : [constant('int64', [1, 1, 1, 1], [0]), list(1).reshape([1, 1, 1, 1])]
  expect(() => differentiate(one(operator, [x, ...others], attributes).sum(), [x])).toThrow(message)
})

test('nothing picked gets no gradient', async () => {
  await expectDifferences(([x]) => x!.mul(2).add(x!.gather(constant('int64', [0], [])).sum()), [[3, 2]])
})
