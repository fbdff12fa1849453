/** Everything that a check measures before it judges. */
import type { Loss, TripletFormula } from '../losses/loss.ts'
import type { Metric } from '../metrics/metric.ts'
import { random } from '../random.ts'
import { DIMENSION, type Path, pathOf } from './path.ts'
import { mixesTriplets, type Probe, pairProgram, probeEmbeddings, probeFormula } from './probe.ts'
import { formOf, type Runner, runner } from './runner.ts'
import { allFinite, type Distances, type Sample, slope } from './sample.ts'

/** What is checked: a loss, and what is known of it besides. */
export interface Subject {
  readonly loss: Loss
  /** In the metric's unit. */
  readonly margin?: number | undefined
  /** The formula with another margin, where the margin can be chosen. */
  readonly withMargin?: ((margin: number) => TripletFormula) | undefined
}

export interface Survey extends Subject {
  readonly formula: TripletFormula | undefined
  /** The least and the greatest distance that are looked at: all that there are, where they are bounded. */
  readonly low: number
  readonly high: number
  /** Triplets of all combinations of distances to the positive and to the negative, not finite ones left out. */
  readonly samples: readonly Sample[]
  readonly notFinite: readonly Sample[]
  /** The steepest pull or push of all. Slopes below a small share of it count as none. */
  readonly steepest: number
  readonly none: number
  /** The positive nearly at the anchor, the negative as far as can be; and the other way round. */
  readonly best: Sample
  readonly worst: Sample
  /** One formula for all triplets, in which each should have its own. */
  readonly mixed: boolean
  readonly path: Path
  readonly triplet: Runner
  /** Triplets of embeddings that are drawn at random, the same ones in every check. */
  readonly random: readonly RandomTriplet[]
  at(ap: number, an: number): Promise<Sample>
  probe(distances: readonly (readonly [ap: number, an: number])[]): Promise<Sample[]>
  release(): Promise<void>
}

/** Shares of the range: close to its ends, where the gradient of a distance itself may vanish, but not at them. */
const SHARES = [0.01, ...Array.from({ length: 19 }, (_, i) => (i + 1) / 20), 0.99]
/** How many triplets are drawn at random. */
const RANDOM = 100
/** How far distances without a bound are followed, in margins and at least. */
const MARGINS = 4
const SOME = 4

export async function survey(subject: Subject): Promise<Survey> {
  const { loss, margin = 0 } = subject
  const [least, most] = loss.metric.range
  const far = Math.max(SOME, MARGINS * Math.abs(margin))
  const low = Number.isFinite(least) ? least : -far
  const high = Number.isFinite(most) ? most : far
  const path = await pathOf(loss.metric, Math.max(Math.abs(low), Math.abs(high)))
  const { formula } = loss
  const mixed = formula !== undefined && mixesTriplets(formula)
  const form = mixed ? 'triplets' : formOf(loss)
  const triplet = mixed ? idle : await runner(loss, form, form === 'labelled' ? 3 : 1)
  const probe: Probe = formula ? probeFormula(formula) : await probeEmbeddings(loss.metric, path, triplet)

  const probeAt = (pairs: readonly (readonly [number, number])[]) =>
    probe.at(pairs.map(([ap, an]): Distances => ({ ap, an, pn: an + (high - an) / 4 })))
  const steps = SHARES.map((share) => low + share * (high - low))
  const all = await probeAt(steps.flatMap((ap) => steps.map((an) => [ap, an] as const)))
  const samples = all.filter(allFinite)
  const steepest = samples.reduce((most, each) => Math.max(most, slope(each)), 0)
  const [near, distant] = [steps[0]!, steps.at(-1)!]
  const [best, worst] = (await probeAt([
    [near, distant],
    [distant, near],
  ])) as [Sample, Sample]
  return {
    ...subject,
    formula,
    low,
    high,
    samples,
    notFinite: all.filter((each) => !allFinite(each)),
    steepest,
    none: 1e-3 * steepest,
    best,
    worst,
    mixed,
    path,
    triplet,
    random: await randomTriplets(loss.metric, triplet),
    at: async (ap, an) => (await probeAt([[ap, an]]))[0]!,
    probe: probeAt,
    async release() {
      await probe.release()
      await triplet.release()
    },
  }
}

export interface RandomTriplet {
  readonly rows: readonly (readonly number[])[]
  readonly distances: { readonly ap: number; readonly an: number }
}

async function randomTriplets(metric: Metric, { form }: Runner): Promise<RandomTriplet[]> {
  const { uniform } = random(0, 'triplets')
  const { measure, release } = pairProgram(metric)
  const members = form === 'quadruplets' ? 4 : 3
  const triplets = Array.from({ length: RANDOM }, () =>
    Array.from({ length: members }, () => Array.from({ length: DIMENSION }, () => uniform(-1, 1))),
  )
  const pairs = await measure(triplets.flatMap(([a, p, n]) => [[a!, p!] as const, [a!, n!] as const]))
  await release()
  return triplets.map((rows, i) => ({
    rows,
    distances: { ap: pairs[2 * i]!.distance, an: pairs[2 * i + 1]!.distance },
  }))
}

/** Stands where a loss cannot be run on embeddings. */
const idle: Runner = {
  form: 'triplets',
  run: async (rows) => ({ value: 0, gradient: rows.map((row) => row.map(() => 0)) }),
  release: async () => {},
}
