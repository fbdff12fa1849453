/** Every augmentation: repeatable, within the range of values, and what it says of itself. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../compile.ts'
import { input } from '../../graph/value.ts'
import { random } from '../../random.ts'
import { size, type Tensor } from '../../tensor.ts'
import { crop } from './affine.ts'
import { type Augmentation, compose, drawsOf } from './augmentation.ts'
import { blur } from './blur.ts'
import { augmentationsByName } from './by-name.ts'
import { erase } from './erase.ts'
import { flip } from './flip.ts'
import { light } from './light.ts'

const shape = [4, 3, 10, 8]
const noise = random(0, 'pixels')
const pixels: Tensor = {
  dtype: 'float32',
  shape,
  data: Float32Array.from({ length: size(shape) }, () => noise.uniform(30, 220)),
}
const EACH = 3 * 10 * 8
const imageOf = (data: ArrayLike<number>, i: number) => Array.from(data).slice(i * EACH, (i + 1) * EACH)
const at = (image: readonly number[], channel: number, row: number, column: number) =>
  image[channel * 80 + row * 8 + column]!

async function change(augmentation: Augmentation, drawn: Tensor, images = pixels): Promise<Float32Array> {
  const build = augmentation.build(input('pixels', 'float32', images.shape), input('drawn', 'float32', drawn.shape))
  const program = await compile({ changed: build })
  const { changed } = await program.run({ pixels: images, drawn })
  await program.release()
  expect(changed!.shape).toEqual(images.shape)
  return changed!.data as Float32Array
}

const every = [...augmentationsByName].map(([name, make]) => [name, make()] as const)

describe.each([...every, ['all of them', compose(...every.map(([, each]) => each))] as const])('%s', (name, each) => {
  test('changes images differently, within their range, and repeatably', async () => {
    const drawn = drawsOf(each, 3)(shape[0]!)
    const changed = await change(each, drawn)
    expect(changed.every((value) => value >= -1e-3 && value <= 255 + 1e-3)).toBe(true)
    expect(changed).toEqual(await change(each, drawsOf(each, 3)(shape[0]!)))
    const more = await Promise.all([4, 5, 6].map((seed) => change(each, drawsOf(each, seed)(shape[0]!))))
    expect(new Set([changed, ...more].map(String)).size).toBe(4)
    expect(name).not.toBe('')
  })
})

const one = (...numbers: number[]): Tensor => {
  const data = Float32Array.from({ length: 4 * numbers.length }, (_, i) => numbers[i % numbers.length]!)
  return { dtype: 'float32', shape: [4, numbers.length], data }
}

test('flip mirrors to the bit, each way on its own, as often as it says', async () => {
  const image = imageOf(pixels.data as Float32Array, 1)
  const sideways = imageOf(await change(flip(), one(1, 0)), 1)
  const upside = imageOf(await change(flip(), one(0, 1)), 1)
  for (const [channel, row, column] of [
    [0, 0, 0],
    [2, 9, 7],
    [1, 4, 2],
  ] as const) {
    expect(at(sideways, channel, row, column)).toBe(at(image, channel, row, 7 - column))
    expect(at(upside, channel, row, column)).toBe(at(image, channel, 9 - row, column))
  }
  const { data } = drawsOf(flip({ horizontal: 0.3 }), 0)(4000)
  const share = (which: number) =>
    Array.from(data as Float32Array).filter((x, i) => i % 2 === which && x === 1).length / 4000
  expect(share(0)).toBeCloseTo(0.3, 1)
  expect(share(1)).toBe(0)
})

test('light adds, stretches around the mean, and is cut off at the ends', async () => {
  const image = imageOf(pixels.data as Float32Array, 0)
  const mean = image.reduce((sum, x) => sum + x, 0) / EACH
  const changed = imageOf(await change(light(), one(40, 1.5)), 0)
  for (const [i, value] of changed.entries()) {
    expect(value).toBeCloseTo(Math.min(255, Math.max(0, (image[i]! - mean) * 1.5 + mean + 40)), 3)
  }
})

test('erase puts the mean into a rectangle, and nowhere else', async () => {
  const image = imageOf(pixels.data as Float32Array, 2)
  const mean = image.reduce((sum, x) => sum + x, 0) / EACH
  const changed = imageOf(await change(erase(), one(0.2, 0.5, 0.25, 0.75)), 2)
  for (let row = 0; row < 10; row++) {
    for (let column = 0; column < 8; column++) {
      const isGone = row >= 2 && row < 5 && column >= 2 && column < 6
      expect(at(changed, 1, row, column)).toBeCloseTo(isGone ? mean : at(image, 1, row, column), 3)
    }
  }
  const { data } = drawsOf(erase({ probability: 1, area: [0.1, 0.1] }), 0)(500)
  for (let i = 0; i < 500; i++) {
    const [top, bottom, left, right] = data.slice(4 * i, 4 * i + 4) as unknown as [number, number, number, number]
    expect((bottom - top) * (right - left)).toBeCloseTo(0.1, 5)
    expect(Math.min(top, left)).toBeGreaterThanOrEqual(0)
    expect(Math.max(bottom, right)).toBeLessThanOrEqual(1.0001)
  }
})

test('blur keeps what is even, and spreads a point as a Gaussian', async () => {
  const drawn = drawsOf(blur({ probability: 1, sigma: [1, 1] }), 0)(4)
  const even: Tensor = { ...pixels, data: new Float32Array(size(shape)).fill(77) }
  for (const value of await change(blur({ sigma: [1, 1] }), drawn, even)) expect(value).toBeCloseTo(77, 3)
  const point: Tensor = { dtype: 'float32', shape: [4, 1, 9, 9], data: new Float32Array(4 * 81) }
  point.data[4 * 9 + 4] = 100
  const spread = await change(blur({ sigma: [1, 1] }), drawn, point)
  const weight = (distance: number) => Math.exp(-(distance ** 2) / 2)
  const total = [-3, -2, -1, 0, 1, 2, 3].reduce((sum, distance) => sum + weight(distance), 0)
  for (const [down, right] of [
    [0, 0],
    [1, 0],
    [2, -3],
    [-1, 2],
  ] as const) {
    const expected = (100 * weight(down) * weight(right)) / total ** 2
    expect(spread[(4 + down) * 9 + 4 + right]).toBeCloseTo(expected, 3)
  }
})

test('crop takes parts of the area that it says, inside of the image', () => {
  const { data } = drawsOf(crop({ area: 0.5, ratio: 2 }), 0)(500)
  const areas = new Set<number>()
  for (let i = 0; i < 500; i++) {
    const [width, , right, , height, down] = data.slice(6 * i, 6 * i + 6) as unknown as number[]
    expect(width! * height!).toBeGreaterThan(0.49)
    expect(Math.abs(right!) + width!).toBeLessThanOrEqual(1.0001)
    expect(Math.abs(down!) + height!).toBeLessThanOrEqual(1.0001)
    areas.add(Math.round(10 * width! * height!))
  }
  expect(areas.size).toBeGreaterThan(4)
})

test('composed, one works on what the other left, with numbers of its own', async () => {
  const both = compose(flip(), light())
  expect(both.name).toBe('flip, light')
  const mirrored = await change(flip(), one(1, 0))
  const lit = await change(light(), one(10, 0.8), { ...pixels, data: mirrored })
  expect(await change(both, one(1, 0, 10, 0.8))).toEqual(lit)
})
