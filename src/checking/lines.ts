/** Walks through the distances along lines. */
import type { Sample } from './sample.ts'
import type { Survey } from './survey.ts'

const POINTS = 201

/** From x to the distances of a triplet. */
export type Line = (x: number) => readonly [ap: number, an: number]

/** Samples along a line. */
export async function walk(
  { probe }: Survey,
  line: Line,
  from: number,
  to: number,
): Promise<(Sample & { readonly x: number })[]> {
  const places = Array.from({ length: POINTS }, (_, i) => from + (i / (POINTS - 1)) * (to - from))
  const samples = await probe(places.map(line))
  return samples.map((sample, i) => ({ ...sample, x: places[i]! }))
}

/** Where along a line `holds` ends for good, to a ten-thousandth of the way; undefined if it ends nowhere or never begins. */
export async function end(
  survey: Survey,
  line: Line,
  from: number,
  to: number,
  holds: (sample: Sample) => boolean,
): Promise<number | undefined> {
  let [start, stop] = [from, to]
  for (let round = 0; round < 2; round++) {
    const samples = await walk(survey, line, start, stop)
    const last = samples.findLastIndex(holds)
    if (last < 0 || last === samples.length - 1) return round === 0 ? undefined : stop
    start = samples[last]!.x
    stop = samples[last + 1]!.x
  }
  return (start + stop) / 2
}

/** The angle, in degrees, between an anchor and what is at a distance from it; for metrics of directions. */
export function angleAt({ path }: Survey, distance: number): number {
  return 180 * path.place(distance)
}

/** The distance between the centres of C classes that are spread as far as they can be: cos = −1/(C − 1). */
export function simplexDistance({ path }: Survey, classes: number): number {
  return path.distance(Math.acos(-1 / (classes - 1)) / Math.PI)
}

/** The distance of unrelated directions, to which that of more and more classes falls. */
export function rightAngle({ path }: Survey): number {
  return path.distance(0.5)
}
