/** Embeddings at any distance from an anchor that a metric allows. */
import { compile } from '../compile.ts'
import { constant } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'

/** Enough for anchor, positive, negative and second negative to go their own ways. */
export const DIMENSION = 8
const POINTS = 2001

export interface Path {
  /** The embedding at place t, from 0 (the anchor) to 1 (as far as the path goes), on one of several ways there. */
  at(t: number, way: number): readonly number[]
  /** Distances that the path reaches, from the nearest to the farthest. */
  readonly reach: readonly [number, number]
  /** The distance at a place. */
  distance(t: number): number
  /** The place at which a distance is reached. */
  place(distance: number): number
}

/** The anchor points everywhere a little, as embeddings do. */
const anchor = [0.9, 0.2, -0.1, 0.3, 0.05, -0.15, 0.1, 0.12]

/**
 * Around the sphere for metrics that look at directions, straight away for others, for a distance of `far` at least.
 */
export async function pathOf(metric: Metric, far: number): Promise<Path> {
  const length = Math.hypot(...anchor)
  const ahead = anchor.map((x) => x / length)
  const aside = [2, 4, 6].map((axis) => perpendicular(ahead, axis))
  const stride = 2 * far
  const at = (t: number, way: number): readonly number[] => {
    const side = aside[way]!
    if (metric.directional) {
      // cos π is not quite what it should be for the way round to end exactly opposite.
      const [c, s] = t === 0 ? [1, 0] : t === 1 ? [-1, 0] : [Math.cos(Math.PI * t), Math.sin(Math.PI * t)]
      return anchor.map((x, i) => c * x + s * length * side[i]!)
    }
    return anchor.map((x, i) => x + t * stride * (0.8 * side[i]! - 0.6 * ahead[i]!))
  }
  const places = Array.from({ length: POINTS }, (_, i) => i / (POINTS - 1))
  const rows = places.flatMap((t) => at(t, 0))
  const from = places.flatMap(() => anchor)
  const shape = [POINTS, DIMENSION]
  const program = await compile({
    distances: metric.pairwise(constant('float32', shape, from), constant('float32', shape, rows)),
  })
  const { distances } = await program.run({})
  await program.release()
  const found = distances!.data as Float32Array
  return {
    at,
    reach: [found[0]!, found[POINTS - 1]!],
    distance: (t) => {
      const exact = t * (POINTS - 1)
      const below = Math.min(Math.floor(exact), POINTS - 2)
      return found[below]! + (exact - below) * (found[below + 1]! - found[below]!)
    },
    place(distance) {
      const after = found.findIndex((each) => each >= distance)
      if (after <= 0) return after === 0 ? 0 : 1
      const [low, high] = [found[after - 1]!, found[after]!]
      return (after - 1 + (distance - low) / (high - low)) / (POINTS - 1)
    },
  }
}

/** A unit vector at a right angle to `ahead`, near an axis. */
function perpendicular(ahead: readonly number[], axis: number): number[] {
  const along = ahead[axis]!
  const side = ahead.map((x, i) => Number(i === axis) - along * x)
  const length = Math.hypot(...side)
  return side.map((x) => x / length)
}
