/** Values and gradients that are not finite, at the places where they most often are not. */
import { type Evidence, evidence, type Problem, show } from '../finding.ts'
import { pairProgram, tripletAt } from '../probe.ts'
import { slope } from '../sample.ts'
import type { Survey } from '../survey.ts'

/** So much steeper than anywhere else, right beside the least distance, and this much more than at four times as far. */
const STEEP = 100
const GROWING = 1.5

export async function finiteProblems(survey: Survey): Promise<Problem[]> {
  const [special, steep] = [await specialPlaces(survey), await steepStart(survey)]
  const places = [...special, ...steep].map(({ name }) => name)
  const { notFinite } = survey
  if (places.length === 0 && notFinite.length === 0) return []
  const overflow = notFinite.length > 0
  const where = overflow ? [`${notFinite.length} of the triplets that were tried`, ...places] : places
  return [
    {
      name: 'not-finite',
      title: 'Values or gradients that are not finite',
      detail: `The loss or its gradient is not a finite number at ${where.join(', ')}. One such triplet turns every parameter into NaN.`,
      evidence: [...notFinite.map(evidence), ...[...steep, ...special].map((place) => place.evidence)].slice(0, 1),
      instead: overflow
        ? 'softplus(x) for log(1 + exp(x)), and differences of logarithms for the logarithm of a quotient: neither overflows.'
        : 'what a root, a logarithm or a division takes kept above zero, as in sqrt(ap + 1e-6); the library’s metrics have finite gradients everywhere.',
    },
  ]
}

interface Place {
  readonly name: string
  readonly evidence: Evidence
}

async function specialPlaces({ triplet, path, mixed, loss, random }: Survey): Promise<Place[]> {
  if (mixed) return []
  const zero = path.at(0, 0).map(() => 0)
  const at = (p: number, n: number) => tripletAt(path, p, n, triplet)
  const withZero = (which: readonly number[]) => at(0.3, 0.6).map((row, i) => (which.includes(i) ? zero : row))
  const cases: readonly (readonly [string, readonly (readonly number[])[]])[] = [
    ...random.map(({ rows }) => ['a random triplet', rows] as const),
    ['coincident anchor and positive', at(0, 0.6)],
    ['coincident anchor and negative', at(0.3, 0)],
    ['three coincident embeddings', at(0, 0)],
    ['an antipodal positive', at(1, 0.6)],
    ['an antipodal negative', at(0.3, 1)],
    ['a zero vector as the anchor', withZero([0])],
    ['a zero vector as the positive', withZero([1])],
    ['a zero vector as the negative', withZero([2])],
    ['three zero vectors', withZero([0, 1, 2])],
  ]
  const found: Place[] = []
  const { distance, release } = pairProgram(loss.metric)
  for (const [name, rows] of cases) {
    const { value, gradient } = await triplet.run(rows, [0, 0, 1])
    if ([value, ...gradient.flat()].every(Number.isFinite) || found.some((place) => place.name === name)) continue
    const [ap, an] = [await distance(rows[0]!, rows[1]!), await distance(rows[0]!, rows[2]!)]
    found.push({ name, evidence: { distances: { ap: ap.distance, an: an.distance }, value } })
  }
  await release()
  return found
}

/** Roots and the like: here their slope at zero counts as none, elsewhere it is infinite, and NaN in a product. */
async function steepStart({ formula, probe, low, high, steepest }: Survey): Promise<Place[]> {
  if (!formula) return []
  const width = high - low
  // The least step that float32 can still tell from the end of the range.
  const tiny = low === 0 ? 1e-9 : 3e-7 * Math.abs(low)
  const middle = low + 0.5 * width
  const at = (distance: number) =>
    probe([
      [low + distance, middle],
      [middle, low + distance],
    ])
  const [samples, farther] = [await at(tiny), await at(4 * tiny)]
  const names = ['coincident anchor and positive', 'coincident anchor and negative']
  return samples.flatMap((sample, i) => {
    const found = slope(sample)
    const grows = found > STEEP * steepest && found > GROWING * slope(farther[i]!)
    if (Number.isFinite(found) && !grows) return []
    return [{ name: `nearly ${names[i]} (a slope of ${show(found)}, and growing)`, evidence: evidence(sample) }]
  })
}
