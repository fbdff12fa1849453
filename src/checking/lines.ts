/** Walks through the distances along lines. */
import { type Sample, slope } from './sample.ts'
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

/** Changes of slope this small, as a share of the steepest of the line, say nothing. */
const FAINT = 1e-4
/** How many places where the slope changes fast are looked at closely. */
const PLACES = 5

/**
 * Where along a line the slope jumps, as the samples on either side: where, looked at closely, most of a fast change happens
 * at once. A smooth loss, however steep, changes all along.
 */
export async function jump(
  survey: Survey,
  line: Line,
  from: number,
  to: number,
): Promise<readonly [Placed, Placed] | undefined> {
  const samples = await walk(survey, line, from, to)
  const steepest = samples.reduce((most, each) => Math.max(most, slope(each)), 0)
  const places = neighbours(samples)
    .filter(([a, b]) => Math.max(slope(a), slope(b)) > FAINT * steepest && relative(a, b) > 0.2)
    .sort(([a, b], [c, d]) => relative(c, d) - relative(a, b))
    .slice(0, PLACES)
  for (const [a, b] of places) {
    const closely = neighbours(await walk(survey, line, a.x, b.x))
    const sudden = closely.find(([c, d]) => change(c, d) > 0.5 * change(a, b))
    if (sudden) return sudden
  }
  return undefined
}

type Placed = Sample & { readonly x: number }

function neighbours(samples: readonly Placed[]): (readonly [Placed, Placed])[] {
  return samples.slice(1).map((each, i) => [samples[i]!, each] as const)
}

function change(a: Sample, b: Sample): number {
  return Math.max(Math.abs(a.pull - b.pull), Math.abs(a.push - b.push))
}

function relative(a: Sample, b: Sample): number {
  return change(a, b) / Math.max(slope(a), slope(b))
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
