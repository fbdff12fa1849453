import { expect, test } from 'vitest'
import { describe as describeImage, dimension } from './descriptor.ts'
import { side } from './draw.ts'

const GRADIENTS = 3 * 3 * 4 * 9
/** An image of a function of its pixels' places. */
const image = (of: (x: number, y: number) => number) =>
  Uint8Array.from({ length: side * side }, (_, i) => of(i % side, Math.floor(i / side)))

test('a ramp has one direction, in every cell, and every block has unit length', () => {
  for (const [ramp, bin] of [
    [image((x) => 4 * x), 0],
    [image((_, y) => 4 * y), 4],
    [image((x) => 255 - 4 * x), 0],
  ] as const) {
    const vector = describeImage(ramp)
    expect(vector).toHaveLength(dimension)
    for (let block = 0; block < 9; block++) {
      const part = vector.subarray(block * 36, block * 36 + 36)
      expect(Math.hypot(...part)).toBeCloseTo(1, 3)
      for (let cell = 0; cell < 4; cell++) {
        const bins = part.subarray(cell * 9, cell * 9 + 9)
        // 90 degrees lie in the middle between the fifth bin and the sixth.
        const shares = bin === 4 ? [bins[4]!, bins[5]!] : [bins[0]!]
        expect(Math.hypot(...shares)).toBeCloseTo(Math.hypot(...bins), 5)
      }
    }
  }
})

test('pixels are the means of four by four', () => {
  const vector = describeImage(image((x, y) => (x < 4 && y >= 24 ? 255 : 0)))
  const pixels = vector.subarray(GRADIENTS)
  expect(pixels).toHaveLength(49)
  expect([...pixels].map((x) => Number(x.toFixed(4)))).toEqual(Array.from({ length: 49 }, (_, i) => Number(i === 42)))
})

test('an empty image has no gradient, and nothing in it is lost', () => {
  expect([...describeImage(image(() => 0))].every((x) => x === 0)).toBe(true)
})
