/** Every metric by its name, as files and command lines have it. */

import { dot } from './dot.ts'
import { euclidean, squaredEuclidean } from './euclidean.ts'
import { manhattan } from './manhattan.ts'
import type { Metric } from './metric.ts'
import { snr } from './snr.ts'
import { angular, chord, cosine, negativeCosine, squaredChord } from './sphere.ts'

export const metricsByName: ReadonlyMap<string, Metric> = new Map(
  [cosine, negativeCosine, chord, squaredChord, angular, euclidean, squaredEuclidean, manhattan, dot, snr].map(
    (metric) => [metric.name, metric],
  ),
)
