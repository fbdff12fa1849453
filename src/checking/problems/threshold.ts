/** Where a loss stops: it should have enough when the negative is farther than the positive by the margin, and not before. */
import { evidence, type Problem, show } from '../finding.ts'
import { end } from '../lines.ts'
import { probeFormula } from '../probe.ts'
import { type Sample, slope } from '../sample.ts'
import type { Survey } from '../survey.ts'
import { neverCompared } from './never-compared.ts'
import { hinge } from './remedy.ts'

/** A push that is so much of what it was a quarter of the range nearer does not fade, if it is some share of the strongest. */
const UNDIMINISHED = 0.95
const NOTABLE = 0.05
/** How far beyond its range a metric is followed to find out where a hinge would close, in widths. */
const BEYOND = 10

export async function thresholdProblems(survey: Survey): Promise<Problem[]> {
  const { best, worst, none, samples } = survey
  const strongest = samples.reduce((most, { push }) => Math.max(most, push), 0)
  if (slope(worst) <= none && slope(best) > none) return [reversed(survey)]
  const nearer = await survey.at(best.ap, best.an - (survey.high - survey.low) / 4)
  if (best.push >= NOTABLE * strongest && best.push >= UNDIMINISHED * nearer.push) return [await endless(survey)]
  const found = [await deadHinge(survey), await uselessMargin(survey)]
  return found.filter((problem) => problem !== undefined)
}

async function endless(survey: Survey): Promise<Problem> {
  const unreachable = await unreachableMargin(survey)
  if (unreachable) return unreachable
  const { samples, best, worst, none } = survey
  const apart = await areApart(survey)
  const same = (of: (sample: Sample) => number) => samples.every((each) => Math.abs(of(each) - of(best)) <= none)
  if (apart && !(same(({ pull }) => pull) && same(({ push }) => push))) return neverCompared(survey)
  return {
    name: apart ? 'no-hinge' : 'pushed-without-end',
    title: apart ? 'No hinge: the negative is pushed without end' : 'The negative is pushed without end',
    detail: apart
      ? 'Every triplet gets the same gradient, whether it is in order or not, and the loss falls for as long as distances can grow. The many easy triplets outweigh the few that matter.'
      : `A triplet that could not be better is still pushed, and no less than before: by ${show(best.push)}, and by ${show(worst.push)} where it could not be worse.`,
    evidence: [best, worst].map(evidence),
    instead: `a hinge, which stops when the margin is kept: ${hinge(survey)}`,
  }
}

/** A hinge that closes somewhere, but where no distance of the metric can go. */
async function unreachableMargin(survey: Survey): Promise<Problem | undefined> {
  const { loss, formula, low, high, best, margin, none } = survey
  const width = high - low
  const bounded = loss.metric.range.every(Number.isFinite)
  const declared = loss.settings?.margin ?? margin
  if (!bounded) return undefined
  let needed = typeof declared === 'number' && declared >= 0.98 * width && !formula ? declared : undefined
  if (formula) {
    const far = low + BEYOND * Math.max(width, Math.abs(margin ?? 0))
    const closes = await end(
      survey,
      (an) => [low, an],
      low,
      far,
      (sample) => slope(sample) > none,
    )
    if (closes !== undefined) needed = closes - low
  }
  if (needed === undefined) return undefined
  return {
    name: 'margin-unreachable',
    title: 'The margin is out of reach: every triplet is active for ever',
    detail: `A triplet is satisfied only when d(a, n) is larger than d(a, p) by ${show(needed)}. Distances of ${loss.metric.name} lie between ${show(low)} and ${show(high)}, so none ever is, and good triplets keep pulling as hard as bad ones.`,
    evidence: [evidence(best)],
    instead: `a margin well below ${show(width)}; ${show(width / 10)} is a start: ${hinge({ ...survey, margin: Number((width / 10).toPrecision(2)) })}`,
  }
}

/** Whether the loss is the sum of one function of d(a, p) and one of d(a, n): then the two are never compared. */
async function areApart({ probe, low, high, samples }: Survey): Promise<boolean> {
  const values = samples.map(({ value }) => value)
  const spread = Math.max(...values) - Math.min(...values)
  const at = [0.02, 0.2, 0.4, 0.6, 0.8, 0.98].map((share) => low + share * (high - low))
  const grid = await probe(at.flatMap((ap) => at.map((an) => [ap, an] as const)))
  const value = (i: number, j: number) => grid[i * at.length + j]!.value
  return at.every((_, i) =>
    at.every((_, j) => Math.abs(value(i, j) - value(i, 0) - value(0, j) + value(0, 0)) <= 1e-3 * spread),
  )
}

function reversed(survey: Survey): Problem {
  return {
    name: 'reversed-hinge',
    title: 'The hinge is the wrong way round: only satisfied triplets are trained',
    detail:
      'A triplet that could not be worse gets no gradient, and one that could not be better is pushed on. This is what min in place of max does, or a hinge around the negative of the difference.',
    evidence: [survey.worst, survey.best].map(evidence),
    instead: hinge(survey),
  }
}

/** Triplets as an untrained encoder gives them, the positive as far as the negative: they have to cost something. */
async function deadHinge(survey: Survey): Promise<Problem | undefined> {
  const { low, high, none, probe, margin } = survey
  const width = high - low
  const level = await probe(
    [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => [low + share * width, low + (share + 0.001) * width] as const),
  )
  if (level.some((sample) => slope(sample) > none)) return undefined
  return {
    name: 'dead-hinge',
    title: 'The hinge is dead at the start',
    detail: `A triplet whose positive is as far as its negative gets no gradient. That is what an untrained encoder gives, and what a collapsed one gives: ${margin ? 'the margin stands on the wrong side of the hinge, or outside of it' : 'there is no margin'}, so nothing begins to move and one point for everything is good enough.`,
    evidence: [evidence(level[2]!)],
    instead: `the margin inside the hinge, with a plus: ${hinge(survey)}`,
  }
}

async function uselessMargin(survey: Survey): Promise<Problem | undefined> {
  const { withMargin, margin, samples, steepest, low, high, loss } = survey
  if (!withMargin || margin === undefined) return undefined
  const others = [margin + 0.1 * (high - low), margin + 0.3 * (high - low)]
  for (const other of others) {
    const probe = probeFormula(withMargin(other))
    const moved = await probe.at(samples)
    await probe.release()
    const differs = moved.some(
      ({ pull, push }, i) =>
        Math.abs(pull - samples[i]!.pull) > 1e-3 * steepest || Math.abs(push - samples[i]!.push) > 1e-3 * steepest,
    )
    if (differs) return undefined
  }
  return {
    name: 'margin-without-effect',
    title: 'The margin has no effect',
    detail: `With a margin of ${show(margin)} and with one of ${show(others[1]!)} the gradient of every triplet is the same in ${loss.metric.name}: the margin cancels, or stands where it adds a constant.`,
    evidence: [evidence(samples[Math.floor(samples.length / 2)]!)],
    instead: `the margin once, inside the hinge: ${hinge(survey)}`,
  }
}
