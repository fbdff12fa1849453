/** How close results have to be to reference values: what float32 arithmetic reaches on them; or that they are the very same. */
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

/** Fails unless both hold the same bytes. `toEqual` would look at each of them, which takes seconds for a million. */
export function expectSameBytes(found: Uint8Array, expected: Uint8Array, what = 'bytes') {
  if (Buffer.compare(found, expected) === 0) return
  const first = found.findIndex((byte, i) => byte !== expected[i])
  expect.fail(
    `${what}: ${found.length} of them, expected ${expected.length}; the first that differs is number ${first}`,
  )
}
