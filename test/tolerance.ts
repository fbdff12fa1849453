/** How close results have to be to reference values: what float32 arithmetic reaches on them. */
import { expect } from 'vitest'

/** Fails unless every value is within `relative` of its reference, or within `absolute` near zero. */
export function expectClose(
  found: ArrayLike<number | bigint>,
  expected: ArrayLike<number | bigint>,
  what: string,
  relative = 1e-4,
  absolute = 1e-5,
) {
  expect(found.length, `${what}: length`).toBe(expected.length)
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [Number(found[i]), Number(expected[i])]
    if (!(Math.abs(a - b) <= absolute + relative * Math.abs(b))) {
      expect.fail(`${what}: element ${i} is ${a}, the reference says ${b}`)
    }
  }
}
