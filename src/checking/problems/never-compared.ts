/** d(a, p) and d(a, n) in terms of their own, of which the second never has enough. */
import { evidence, type Problem, show } from '../finding.ts'
import { angleAt, end, rightAngle, simplexDistance } from '../lines.ts'
import type { Survey } from '../survey.ts'
import { hinge } from './remedy.ts'

export async function neverCompared(survey: Survey): Promise<Problem> {
  const { low, high, none, at, best, loss } = survey
  const middle = (low + high) / 2
  // Followed from far to near: where the pull ends.
  const stop = await end(
    survey,
    (ap) => [ap, middle],
    high,
    low,
    ({ pull }) => pull > none,
  )
  const near = await at(stop === undefined ? middle : (low + stop) / 2, low + 0.1 * (high - low))
  const bound = await lowerBound(survey)
  const text = [
    'd(a, p) and d(a, n) stand in terms of their own, so this is no triplet loss: whether the negative is farther than the positive is never asked.',
    ...(stop === undefined ? [] : [`The pull stops for good at ${place(survey, stop)}, however near the negative is.`]),
    `The push never stops, however far the negative is${bound ? `: ${bound}` : '.'}`,
  ]
  return {
    name: 'never-compared',
    title: 'The two distances are never compared',
    detail: text.join(' '),
    evidence: [near, best].map(evidence),
    instead:
      `${hinge(survey)} It needs no \`1 −\` before a distance: in ${loss.metric.name} as in any other metric, ` +
      'constants cancel in the difference.',
  }
}

/** A place on the way of the positive, as a cosine where the metric looks at directions. */
function place(survey: Survey, distance: number): string {
  const { loss, margin } = survey
  if (!loss.metric.directional) return `d(a, p) = ${show(distance)}`
  const cosine = Math.cos((angleAt(survey, distance) * Math.PI) / 180)
  const isMargin = margin !== undefined && Math.abs(cosine - margin) < 1e-3 * Math.max(1, Math.abs(margin))
  return isMargin ? `cos(a, p) = margin = ${show(margin)}` : `cos(a, p) = ${show(cosine)}`
}

/**
 * What the mean over C classes cannot fall below: the mean cosine of C directions is at least −1/(C − 1), which a loss that
 * is linear in the cosine carries over.
 */
async function lowerBound(survey: Survey): Promise<string | undefined> {
  const { loss, low, at } = survey
  if (!loss.metric.directional) return undefined
  const valueAt = async (distance: number) => (await at(low, distance)).value
  const [many, two, eleven] = [
    await valueAt(rightAngle(survey)),
    await valueAt(simplexDistance(survey, 2)),
    await valueAt(simplexDistance(survey, 11)),
  ]
  const slope = many - two
  const linear = Math.abs(many - slope / 10 - eleven) < 1e-3 * Math.max(Math.abs(slope), 1e-6)
  if (linear) {
    const formula = `${show(many)} − ${Math.abs(slope - 1) < 1e-3 ? '1' : show(slope)}/(C − 1)`
    return `for C classes the loss cannot fall below ${formula}, because the mean cosine of C directions cannot fall below −1/(C − 1).`
  }
  return `with 11 classes spread as far as they can be it is still ${show(eleven)}, with more it rises to ${show(many)}.`
}
