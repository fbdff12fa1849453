/** What a loss is like: nothing of it is right or wrong. */
import { type Evidence, evidence, show, type Trait } from './finding.ts'
import { angleAt, jump, rightAngle, simplexDistance, walk } from './lines.ts'
import { tripletAt } from './probe.ts'
import { type Sample, slope } from './sample.ts'
import type { Survey } from './survey.ts'

export async function traitsOf(survey: Survey): Promise<Trait[]> {
  const found = [
    signs(survey),
    await smoothness(survey),
    satisfaction(survey),
    await scale(survey),
    await start(survey),
    await margin(survey),
    await attention(survey),
    await collapsed(survey),
    await perfect(survey),
  ]
  return found.filter((trait) => trait !== undefined)
}

function signs({ samples, none, path }: Survey): Trait | undefined {
  if (path.reach[0] > path.reach[1]) return undefined
  if (samples.some(({ pull, push }) => pull < -none || push < -none)) return undefined
  const both = samples.filter(({ pull, push }) => pull > none && push > none)
  const pulls = samples.some(({ pull }) => pull > none)
  const pushes = samples.some(({ push }) => push > none)
  if (!pulls || !pushes) return undefined
  return {
    name: 'signs',
    title: 'The signs are not flipped',
    detail: 'Lowering it pulls the positive and pushes the negative, which is why it goes down in training.',
    evidence: [evidence(middle(both.length > 0 ? both : samples))],
  }
}

/** A hinge has a place where its slope jumps. */
async function smoothness(survey: Survey): Promise<Trait> {
  const { low, high, at } = survey
  const width = high - low
  const [from, to] = [low + 0.01 * width, high - 0.01 * width]
  const found =
    (await jump(survey, (an) => [low + 0.25 * width, an], from, to)) ??
    (await jump(survey, (ap) => [ap, low + 0.5 * width], from, to))
  return found
    ? {
        name: 'smoothness',
        title: 'Hinged',
        detail: 'Its slope jumps where a triplet becomes satisfied; on either side it changes little.',
        evidence: found.map(evidence),
      }
    : {
        name: 'smoothness',
        title: 'Smooth',
        detail: 'Its slope changes gradually, so that no triplet counts fully or not at all.',
        evidence: [evidence(await at(low + 0.25 * width, low + 0.5 * width))],
      }
}

function satisfaction({ best, none }: Survey): Trait {
  if (slope(best) > none) {
    return {
      name: 'satisfaction',
      title: 'Never flat',
      detail: 'Even the best of triplets is still trained on, if only a little.',
      evidence: [evidence(best)],
    }
  }
  const nothing = Math.abs(best.value) < 1e-5
  return {
    name: 'satisfaction',
    title: nothing ? 'Zero once satisfied' : 'Flat once satisfied',
    detail: nothing
      ? 'A triplet in order costs nothing and is no longer trained on.'
      : `A triplet in order is no longer trained on; it costs ${show(best.value)}.`,
    evidence: [evidence(best)],
  }
}

async function scale({ triplet, path, mixed, loss }: Survey): Promise<Trait | undefined> {
  if (mixed) return undefined
  for (const [positive, negative] of [
    [0.3, 0.25],
    [0.1, 0.2],
    [0.6, 0.2],
  ] as const) {
    const rows = tripletAt(path, positive, negative, triplet)
    const longer = rows.map((row) => row.map((x) => 3 * x))
    const [once, larger] = [await triplet.run(rows, [0, 0, 1]), await triplet.run(longer, [0, 0, 1])]
    if (Math.abs(once.value - larger.value) <= 1e-4 * Math.max(1, Math.abs(once.value))) continue
    return {
      name: 'scale',
      title: 'Depends on scale',
      detail: `Embeddings three times as long cost ${show(larger.value)} in place of ${show(once.value)}: in ${loss.metric.name} an encoder can change its embeddings' length to please the loss.`,
      evidence: [],
    }
  }
  return {
    name: 'scale',
    title: 'Invariant to scale',
    detail: 'Embeddings of any length give the same loss: only directions count.',
    evidence: [],
  }
}

/** How an untrained encoder finds it: triplets of random directions, none of them better than another. */
async function start({ triplet, mixed, random }: Survey): Promise<Trait | undefined> {
  if (mixed) return undefined
  let [active, first]: [number, Evidence | undefined] = [0, undefined]
  for (const { rows, distances } of random) {
    const { value, gradient } = await triplet.run(rows, [0, 0, 1])
    if (!gradient.flat().some((each) => Math.abs(each) > 1e-6)) continue
    active++
    first ??= { distances, value }
  }
  return {
    name: 'start',
    title: `Trains on ${Math.round((100 * active) / random.length)} % of random triplets`,
    detail: 'Embeddings drawn at random, as good as untrained: so many of their triplets have a gradient.',
    evidence: first ? [first] : [],
  }
}

/** How far a negative has to be beside a positive at a distance: where a hinge closes, and where a smooth loss puts its margin. */
async function enough(survey: Survey, ap: number): Promise<number | undefined> {
  const { low, high, margin: declared } = survey
  const closes = await jump(survey, (an) => [ap, an], low, high)
  if (closes) return (closes[0].x + closes[1].x) / 2
  // A push that does not fade has no place where it would be enough.
  const line = await walk(survey, (an) => [ap, an], low, high)
  const strongest = line.reduce((most, { push }) => Math.max(most, push), 0)
  if (line.at(-1)!.push > 0.95 * strongest) return undefined
  return declared !== undefined && declared > 0 && ap + declared <= high ? ap + declared : undefined
}

async function margin(survey: Survey): Promise<Trait | undefined> {
  const { low, loss, at } = survey
  const ends = await enough(survey, low)
  if (ends === undefined) return undefined
  const shown = [evidence(await at(low, ends))]
  if (!loss.metric.directional) {
    return {
      name: 'margin',
      title: `Asks for a difference of ${show(ends - low)}`,
      detail: `Beside a coincident positive a negative is far enough at d(a, n) = ${show(ends)}.`,
      evidence: shown,
    }
  }
  const right = rightAngle(survey)
  const further = await enough(survey, right)
  const first = angleAt(survey, ends)
  const beside =
    further === undefined ? '' : `, and ${show(angleAt(survey, further) - 90)}° beyond a positive at a right angle`
  const classes = first > 90 ? Math.floor(1 + 1 / -Math.cos((first * Math.PI) / 180) + 1e-3) : undefined
  const limit = classes ? ` No more than ${classes} classes can all be that far from each other.` : ''
  return {
    name: 'margin',
    title: `Asks for an angle of ${show(first)}°`,
    detail: `A negative is far enough ${show(first)}° from the anchor beside a coincident positive${beside}.${limit}`,
    evidence: shown,
  }
}

/** Which triplets move the embeddings most: not only the loss has a slope, the metric has one too. */
async function attention(survey: Survey): Promise<Trait | undefined> {
  const { triplet, path, mixed, loss } = survey
  if (mixed) return undefined
  const places = Array.from({ length: 13 }, (_, i) => (i + 0.25) / 12.5)
  const found: { positive: number; negative: number; norm: number }[] = []
  for (const positive of places) {
    for (const negative of places) {
      const { gradient } = await triplet.run(tripletAt(path, positive, negative, triplet), [0, 0, 1])
      found.push({ positive, negative, norm: Math.hypot(...gradient.flat()) })
    }
  }
  const most = found.reduce((a, b) => (b.norm > a.norm * 1.001 ? b : a))
  if (!(most.norm > 0)) return undefined
  const hardest = found.reduce((a, b) => (b.positive - b.negative > a.positive - a.negative ? b : a))
  const collapsed = found.reduce((a, b) => (b.positive + b.negative < a.positive + a.negative ? b : a))
  const share = (norm: number) => `${Math.round((100 * norm) / most.norm)} %`
  const sample = await survey.at(path.distance(most.positive), path.distance(most.negative))
  const name = (t: number) =>
    loss.metric.directional ? `${Math.round(180 * t)}°` : `a distance of ${show(path.distance(t))}`
  return {
    name: 'attention',
    title: `Moves embeddings most with the positive at ${name(most.positive)} and the negative at ${name(most.negative)}`,
    detail:
      `The hardest triplet, with the positive at ${name(hardest.positive)} and the negative at ${name(hardest.negative)}, gets ${share(hardest.norm)} of that gradient, ` +
      `and one whose embeddings nearly coincide ${share(collapsed.norm)}.`,
    evidence: [evidence(sample)],
  }
}

async function collapsed({ at, low, margin: asked }: Survey): Promise<Trait> {
  const sample = await at(low, low)
  const same = asked !== undefined && asked !== 0 && Math.abs(sample.value - asked) < 1e-4
  return {
    name: 'collapsed',
    title: `Collapsed, it is ${show(sample.value)}${same ? ', the margin' : ''}`,
    detail: `A loss that stays there has made one point of all embeddings.`,
    evidence: [{ distances: { ap: sample.ap, an: sample.an }, value: sample.value }],
  }
}

async function perfect(survey: Survey): Promise<Trait | undefined> {
  const { loss, at, low } = survey
  if (!loss.metric.directional) return undefined
  const counts = [10, 100, 1000]
  const values = await Promise.all(counts.map((count) => at(low, simplexDistance(survey, count))))
  const all = values.map(({ value }) => show(value))
  return {
    name: 'perfect',
    title: `Perfect, it is ${all.every((each) => each === all[0]) ? `${all[0]}, for 10 classes as for 1,000` : all.map((each, i) => `${each} for ${counts[i]!.toLocaleString('en')} classes`).join(', ')}`,
    detail: 'Each class at one point, all points as far from each other as that many can be: cos = −1/(C − 1).',
    evidence: values.map(({ ap, an, value }) => ({ distances: { ap, an }, value })),
  }
}

function middle(samples: readonly Sample[]): Sample {
  return samples[Math.floor(samples.length / 2)]!
}
