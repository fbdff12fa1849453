import { expect, test } from 'vitest'
import { compile } from '../../compile.ts'
import { input } from '../../graph/value.ts'
import { size, type Tensor } from '../../tensor.ts'
import { type AffineOptions, affine } from './affine.ts'
import { drawsOf } from './augmentation.ts'

const shape = [3, 1, 16, 16]

/** Dark images with one bright square in the middle. */
const square: Tensor = {
  dtype: 'float32',
  shape,
  data: Float32Array.from({ length: size(shape) }, (_, i) => {
    const [row, column] = [(i >> 4) & 15, i & 15]
    return row >= 6 && row < 10 && column >= 6 && column < 10 ? 200 : 20
  }),
}

async function change(options: AffineOptions, seed = 0) {
  const augmentation = affine(options)
  const drawn = drawsOf(augmentation, seed)(shape[0]!)
  const changed = augmentation.build(input('pixels', 'float32', shape), input('drawn', 'float32', drawn.shape))
  const program = await compile({ changed })
  const results = await program.run({ pixels: square, drawn })
  await program.release()
  return results.changed!.data as Float32Array
}

test('no change leaves the images as they are', async () => {
  const same = await change({ rotation: 0, scale: 0, shear: 0, translation: 0 })
  for (const [i, value] of same.entries()) expect(value).toBeCloseTo(square.data[i] as number, 3)
})

test('images change within their range of values, differently from each other, and repeatably by seed', async () => {
  const changed = await change({})
  expect(changed.every((value) => value >= 20 - 1e-3 && value <= 200 + 1e-3)).toBe(true)
  const plane = 256
  expect(changed.slice(0, plane)).not.toEqual(changed.slice(plane, 2 * plane))
  expect(changed).toEqual(await change({}))
  expect(changed).not.toEqual(await change({}, 1))
  const draw = drawsOf(affine(), 0)
  expect(draw(2)).not.toEqual(draw(2))
})

test('a translation moves by its share of the width, and the border is repeated', async () => {
  const moved = await change({ rotation: 0, scale: 0, shear: 0, translation: 0.25 })
  const total = (data: Float32Array) => data.slice(0, 256).reduce((sum, value) => sum + value, 0)
  // The square stays inside, so nothing of it is lost and the dark border fills what comes in.
  expect(total(moved)).toBeCloseTo(total(square.data as Float32Array), -1)
})

test('a rotation keeps the middle', async () => {
  const turned = await change({ rotation: 45, scale: 0, shear: 0, translation: 0 })
  expect(turned[7 * 16 + 7]).toBeCloseTo(200, 0)
  expect(turned[0]).toBeCloseTo(20, 0)
})
