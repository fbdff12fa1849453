/** Points along curves. */

export const range = (from: number, to: number, points = 181) =>
  Array.from({ length: points }, (_, i) => from + (i / (points - 1)) * (to - from))
export const zip = (xs: readonly number[], ys: ArrayLike<number>) => xs.map((x, i) => [x, ys[i]!] as const)
export const column = (values: readonly number[]) =>
  ({ dtype: 'float32', shape: [values.length], data: Float32Array.from(values) }) as const
