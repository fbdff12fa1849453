/** The Manhattan distance. */
import type { Metric } from './metric.ts'

/** So many dimensions are compared at once, for each pair. */
const DIMENSIONS = 8

/** Σ|a − b|, at least 0. `matrix` computes d × n × m differences and its gradient keeps them. */
export const manhattan: Metric = {
  name: 'manhattan',
  range: [0, Number.POSITIVE_INFINITY],
  directional: false,
  triangle: true,
  pairwise: (a, b) => a.sub(b).abs().sum([1]),
  matrix(a, b) {
    const d = a.shape[1]!
    const starts = Array.from({ length: Math.ceil(d / DIMENSIONS) }, (_, i) => i * DIMENSIONS)
    return starts
      .map((start) => {
        const [left, right] = [a, b].map((x) => x.slice(1, start, Math.min(start + DIMENSIONS, d)))
        return left!
          .unsqueeze([1])
          .sub(right!.unsqueeze([0]))
          .abs()
          .sum([2])
      })
      .reduce((sum, part) => sum.add(part))
  },
}
