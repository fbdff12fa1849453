/** Which way a loss moves things: the positive has to come closer, the negative has to go. */
import { evidence, type Problem, show } from '../finding.ts'
import { tripletAt } from '../probe.ts'
import { type Sample, slope } from '../sample.ts'
import type { Survey } from '../survey.ts'
import { hinge } from './remedy.ts'

/** A loss that moves nothing, or in the wrong direction. */
export async function directionProblems(survey: Survey): Promise<Problem[]> {
  const { samples, none, steepest, loss, path, triplet } = survey
  const [here, there] = path.reach
  if (here > there) {
    const { value } = await triplet.run(tripletAt(path, 0, 1, triplet), [0, 0, 1])
    return [
      {
        name: 'similarity-for-distance',
        title: 'The metric is a similarity',
        detail: `${loss.metric.name} gives ${show(here)} for an embedding and itself, and ${show(there)} for one far away. A metric has to be smaller for what is closer, so everything that is built on it trains the opposite.`,
        evidence: [{ distances: { ap: here, an: there }, value }],
        instead: 'its negative, or 1 − similarity: for a cosine, metrics.cosine or metrics.negativeCosine.',
      },
    ]
  }
  if (steepest < 1e-7) return [constant(samples)]
  const wrongPull = samples.filter(({ pull }) => pull < -none)
  const wrongPush = samples.filter(({ push }) => push < -none)
  const rightPull = samples.some(({ pull }) => pull > none)
  const rightPush = samples.some(({ push }) => push > none)
  if (wrongPull.length > 0 && wrongPush.length > 0 && !rightPull && !rightPush) {
    return [
      {
        name: 'similarity-for-distance',
        title: 'The signs are flipped: a similarity stands where a distance belongs',
        detail:
          'Lowering this loss pushes the positive away and pulls the negative in, everywhere. It is right for similarities, which are larger for what is closer; ap and an are distances, which are smaller.',
        evidence: [evidence(steepestOf(wrongPull))],
        instead: hinge(survey),
      },
    ]
  }
  return [
    ...(wrongPull.length > 0 ? [pushed(survey, wrongPull)] : []),
    ...(wrongPush.length > 0 ? [pulled(survey, wrongPush)] : []),
    ...(!rightPull && wrongPull.length === 0 ? [ignored(survey, 'positive')] : []),
    ...(!rightPush && wrongPush.length === 0 ? [ignored(survey, 'negative')] : []),
  ]
}

function constant(samples: readonly Sample[]): Problem {
  return {
    name: 'constant',
    title: 'The loss is a constant',
    detail: 'Neither distance has a gradient anywhere: whatever the embeddings are, nothing is trained.',
    evidence: samples.slice(0, 1).map(evidence),
    instead: 'a formula in which d(a, p) and d(a, n) both have a part, and nothing detached between them and the loss.',
  }
}

function pushed(survey: Survey, wrong: readonly Sample[]): Problem {
  return {
    name: 'positive-pushed',
    title: 'The positive is pushed away',
    detail: `Lowering the loss raises d(a, p) ${where(survey, wrong)}.`,
    evidence: [evidence(steepestOf(wrong))],
    instead: `d(a, p) with a plus, held against d(a, n) inside the hinge: ${hinge(survey)}`,
  }
}

function pulled(survey: Survey, wrong: readonly Sample[]): Problem {
  return {
    name: 'negative-pulled',
    title: 'The negative is pulled in',
    detail: `Lowering the loss lowers the distance to the negative ${where(survey, wrong)}.`,
    evidence: [evidence(steepestOf(wrong))],
    instead: `d(a, n) with a minus, held against d(a, p) inside the hinge: ${hinge(survey)}`,
  }
}

function ignored(survey: Survey, which: 'positive' | 'negative'): Problem {
  const example = survey.samples.reduce((a, b) => (slope(b) > slope(a) ? b : a))
  return {
    name: `${which}-ignored`,
    title: which === 'positive' ? 'The positive is never pulled' : 'The negative is never pushed',
    detail:
      which === 'positive'
        ? 'd(a, p) has no gradient anywhere, so that what belongs together is not brought together.'
        : 'The distances to the negative have no gradient anywhere: the cheapest answer is one point for everything.',
    evidence: [evidence(example)],
    instead: hinge(survey),
  }
}

function where({ samples }: Survey, wrong: readonly Sample[]): string {
  const share = wrong.length / samples.length
  if (share > 0.99) return 'everywhere'
  const violated = wrong.filter(({ ap, an }) => ap > an).length / wrong.length
  const kind = violated > 0.9 ? ', all of it where d(a, p) is the larger' : ''
  const satisfied = violated < 0.1 ? ', all of it where d(a, n) is the larger' : ''
  return `in ${Math.max(1, Math.round(100 * share))} % of the triplets${kind}${satisfied}`
}

function steepestOf(samples: readonly Sample[]): Sample {
  return samples.reduce((a, b) => (slope(b) > slope(a) ? b : a))
}
