/** What only a batch shows: triplets that are averaged before the hinge, and examples whose order matters. */
import type { Loss } from '../../losses/loss.ts'
import { evidence, type Problem, show } from '../finding.ts'
import type { Path } from '../path.ts'
import { components, pairProgram, tripletAt } from '../probe.ts'
import { type Form, runner, takes } from '../runner.ts'
import { slope } from '../sample.ts'
import type { Survey } from '../survey.ts'

/** How many examples are put in order. */
const ORDERED = 6

export async function batchProblems(survey: Survey): Promise<Problem[]> {
  if (survey.mixed) return [await reduced(survey)]
  // Pairs taken from a batch in their order, and terms over many pairs at once, are what other losses are meant to be.
  const { over = 'triplets' } = survey.loss
  if (over === 'batch') return []
  const found: Problem[] = []
  for (const form of formsOf(survey)) {
    if (!found.some(({ name }) => name === 'depends-on-order'))
      found.push(...(await orderProblem(survey.loss, form, survey.path)))
    const isOpen = over === 'triplets' && !found.some(({ name }) => name === 'reduced-before-hinge')
    if (isOpen && (await isReduced(survey, form))) {
      found.push(await reduced(survey))
    }
  }
  return found
}

/** The form that was surveyed, and labelled batches where the loss takes them too. */
function formsOf({ loss, triplet: { form } }: Survey): Form[] {
  return form === 'labelled' || !takes(loss, 'labelled', ORDERED) ? [form] : [form, 'labelled']
}

async function reduced(survey: Survey): Promise<Problem> {
  const { low, high, at } = survey
  const width = high - low
  const [bad, good] = [await at(low + 0.6 * width, low + 0.3 * width), await at(low + 0.1 * width, low + 0.9 * width)]
  return {
    name: 'reduced-before-hinge',
    title: 'Reduced before the hinge',
    detail:
      'The distances are averaged over the batch before they meet the hinge. A hinge around a mean is one triplet loss for the average triplet: satisfied triplets are trained along with violated ones as long as the mean is violated, and as soon as it is not, nobody is. Keras’s losses do this unless they are made with reduction=None.',
    evidence: [bad, good].map(evidence),
    instead: 'one term for each triplet, and the mean after the hinge: mean(max(ap - an + margin, 0)).',
  }
}

/** Whether a satisfied triplet, which alone gets no gradient, gets one beside a violated triplet; or the other way round. */
async function isReduced(survey: Survey, form: Form): Promise<boolean> {
  // A smooth loss, or one that never stops, trains every triplet anyway.
  if (slope(survey.best) > survey.none) return false
  return form === 'labelled' ? reducedOverLabels(survey) : reducedOverTuples(survey, form)
}

function norm(gradient: readonly (readonly number[])[]): number {
  return Math.hypot(...gradient.flat())
}

async function reducedOverTuples({ loss, path, triplet }: Survey, form: Form): Promise<boolean> {
  const pair = await runner(loss, form, 2)
  try {
    for (const [place, negative] of [
      [0.7, 0.2],
      [0.35, 0.3],
    ] as const) {
      const [bad, good] = [tripletAt(path, place, negative, triplet), tripletAt(path, 0.02, 0.97, triplet)]
      const [alone, enough] = [norm((await triplet.run(bad)).gradient), norm((await triplet.run(good)).gradient)]
      // Only where one has to be trained and the other has not does it show.
      if (alone === 0 || enough > 1e-3 * alone) continue
      const { gradient } = await pair.run(bad.flatMap((row, i) => [row, good[i]!]))
      const [ofBad, ofGood] = [
        norm(gradient.filter((_, i) => i % 2 === 0)),
        norm(gradient.filter((_, i) => i % 2 === 1)),
      ]
      if (ofBad < 1e-3 * alone || ofGood > 1e-2 * ofBad) return true
    }
    return false
  } finally {
    await pair.release()
  }
}

type Row = readonly number[]

/**
 * Two classes: one close together, and one whose two members are on either side of it, so that all their triplets are
 * violated. Where a close pair is satisfied beside a negative as far as that, nothing but a mean over the batch can pull it.
 */
async function reducedOverLabels({ loss, path, at, none }: Survey): Promise<boolean> {
  if (!takes(loss, 'labelled', 4)) return false
  const [close, near] = [path.at(0, 0), path.at(0.03, 2)]
  const batch = await runner(loss, 'labelled', 4)
  const { distance, release } = pairProgram(loss.metric)
  /** Whether no triplet with one of the pair as its anchor is to be trained. */
  const satisfied = async (a: readonly number[], b: readonly number[], others: readonly [Row, Row]) => {
    const [apart, away] = [await distance(...others), await distance(others[0], a)]
    // Near a pole the steepest of all slopes says little: what is satisfied is flat beside these violated ones too.
    const flat = Math.min(none, 1e-2 * slope(await at(apart.distance, away.distance)))
    for (const [anchor, positive] of [
      [a, b],
      [b, a],
    ] as const) {
      const ap = (await distance(anchor, positive)).distance
      for (const other of others) if (slope(await at(ap, (await distance(anchor, other)).distance)) > flat) return false
    }
    return true
  }
  try {
    for (const place of [0.2, 0.25, 0.3, 0.35, 0.4, 0.45]) {
      const others = [path.at(place, 0), path.at(-place, 1)] as const
      if (!(await satisfied(close, near, others))) continue
      const { gradient } = await batch.run([close, near, ...others], [0, 0, 1, 1])
      const basis: (readonly number[])[] = []
      for (const each of [close, ...others]) basis.push((await distance(each, near)).second)
      const [pull, ...pushes] = components(gradient[1]!, basis) as [number, number, number]
      const moved = pull * norm(basis.slice(0, 1))
      if (pull > 1e-2 * Math.max(...pushes.map(Math.abs)) && moved > 1e-2 * norm(gradient.slice(2))) return true
    }
    return false
  } finally {
    await batch.release()
    await release()
  }
}

/** The loss of a batch and of the same examples in another order. */
async function orderProblem(loss: Loss, form: Form, path: Path): Promise<Problem[]> {
  const places = [0.11, 0.32, 0.23, 0.54, 0.47, 0.68]
  const order = [3, 0, 4, 1, 5, 2]
  const width = { triplets: 3, quadruplets: 4, labelled: 1 }[form]
  const part = (k: number) => places.map((place, i) => path.at((place * (1 + k) + 0.07 * i) % 1, (i + k) % 3))
  const parts = Array.from({ length: width }, (_, k) => part(k))
  const labels = [0, 0, 1, 1, 2, 2]
  const batch = await runner(loss, form, ORDERED)
  try {
    const [one, other] = [
      await batch.run(parts.flat(), labels),
      await batch.run(
        parts.flatMap((rows) => order.map((i) => rows[i]!)),
        order.map((i) => labels[i]!),
      ),
    ]
    const difference = Math.abs(one.value - other.value)
    if (!(difference > 1e-3 * Math.max(Math.abs(one.value), Math.abs(other.value), 1e-3))) return []
    return [
      {
        name: 'depends-on-order',
        title: 'The loss depends on the order of the batch',
        detail: `The same ${ORDERED} ${form === 'labelled' ? 'labelled examples' : form} cost ${show(one.value)} in one order and ${show(other.value)} in another. Whether an example is anchor, positive or negative has to follow from its label or its tuple, not from its row.`,
        evidence: [],
        instead:
          form === 'labelled'
            ? 'masks made of the labels, labels.unsqueeze([1]).equal(labels.unsqueeze([0])), in place of fixed rows.'
            : 'terms that treat every row alike.',
      },
    ]
  } finally {
    await batch.release()
  }
}
