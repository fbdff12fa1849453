/** Classic mistakes are named for what they are, and losses that are right have no problem. */
import { describe, expect, test } from 'vitest'
import { UsageError } from '../errors.ts'
import { cosineMarginTriplet, type Examples, type Loss, mean, quadruplet, triplet } from '../losses/index.ts'
import { metricsByName } from '../metrics/by-name.ts'
import { cosine, type Metric } from '../metrics/index.ts'
import { batchHard, semiHard } from '../mining/index.ts'
import { checkLoss } from './check-loss.ts'
import type { ProblemName } from './finding.ts'
import { checkExpression } from './from-source.ts'

/** Everything that is said of a mistake has to be there, and true of the triplets that it shows. */
function complete({ problems, traits }: Awaited<ReturnType<typeof checkLoss>>) {
  for (const { title, detail, instead } of problems) {
    for (const part of [title, detail, instead]) expect(part.length).toBeGreaterThan(10)
  }
  for (const { evidence } of [...problems, ...traits]) {
    for (const { distances, value } of evidence) expect([distances.ap, distances.an, value]).not.toContain(undefined)
  }
}

describe('formulas with a mistake', () => {
  const mistakes: readonly [
    what: string,
    formula: string,
    metric: string,
    margin: number | undefined,
    ProblemName[],
  ][] = [
    ['signs flipped', 'max(an - ap + margin, 0)', 'cosine', 0.2, ['similarity-for-distance']],
    ['1 − distance, taken for one', 'relu((1 - ap) - (1 - an) + margin)', 'cosine', 0.2, ['similarity-for-distance']],
    ['the loss negated', '-max(ap - an + margin, 0)', 'cosine', 0.2, ['similarity-for-distance']],
    ['the questioner’s first attempt', '(1 - an) + max(ap + margin, 0)', 'negativeCosine', 0.5, ['never-compared']],
    ['two distances summed up', 'max(ap + an - margin, 0)', 'cosine', 0.2, ['negative-pulled']],
    ['the square without the hinge', '(ap - an + margin)^2', 'cosine', 0.2, ['positive-pushed', 'negative-pulled']],
    ['the positive forgotten', 'max(margin - an, 0)', 'cosine', 0.2, ['positive-ignored']],
    ['the negative forgotten', 'ap', 'cosine', undefined, ['negative-ignored']],
    ['the hinge forgotten', 'ap - an + margin', 'cosine', 0.2, ['no-hinge']],
    ['the hinge forgotten, in a metric without bound', 'ap - an', 'euclidean', undefined, ['no-hinge']],
    ['a hinge, and a push without one', 'max(ap - an + margin, 0) - an', 'cosine', 0.2, ['pushed-without-end']],
    ['the margin subtracted', 'max(ap - an - margin, 0)', 'cosine', 0.2, ['dead-hinge']],
    ['the margin in place of the zero', 'max(ap - an, margin)', 'cosine', 0.2, ['dead-hinge']],
    ['no margin', 'max(ap - an, 0)', 'cosine', undefined, ['dead-hinge']],
    ['min in place of max', 'min(ap - an + margin, 0)', 'cosine', 0.2, ['reversed-hinge']],
    ['a Euclidean margin on a cosine', 'max(ap - an + margin, 0)', 'cosine', 3, ['margin-unreachable']],
    ['a margin as wide as the metric', 'max(ap - an + margin, 0)', 'angular', 1, ['margin-unreachable']],
    [
      'the margin on both sides',
      'max((ap + margin) - (an + margin), 0)',
      'cosine',
      0.2,
      ['dead-hinge', 'margin-without-effect'],
    ],
    ['the margin outside of the hinge', 'max(ap - an + 0.2, 0) + margin', 'cosine', 0.2, ['margin-without-effect']],
    ['a root at zero', 'max(sqrt(ap) - sqrt(an) + margin, 0)', 'cosine', 0.2, ['not-finite']],
    ['a division by zero', 'ap / an', 'euclidean', undefined, ['not-finite']],
    ['a logarithm at zero', 'log(ap) - log(an)', 'cosine', undefined, ['not-finite']],
    ['an overflow', 'log(1 + exp(200 * (ap - an + margin)))', 'cosine', 0.2, ['not-finite']],
    ['no distance in it', 'relu(margin)', 'cosine', 0.2, ['constant']],
  ]
  test.each(mistakes)('%s: %s', async (_, formula, metric, margin, expected) => {
    const found = await checkExpression(formula, { metric, ...(margin !== undefined && { margin }) })
    expect(found.problems.map(({ name }) => name)).toEqual(expected)
    complete(found)
  })
})

describe('losses with a mistake', () => {
  const pairs = (examples: Examples, metric: Metric = cosine) => {
    if (examples.kind !== 'tuples') throw new UsageError('Tuples only.')
    return [
      metric.pairwise(examples.anchor, examples.positive),
      metric.pairwise(examples.anchor, examples.negative),
    ] as const
  }
  const own = (build: Loss['build'], metric: Metric = cosine): Loss => ({ name: 'own', metric, build })
  const names = async (loss: Loss) => {
    const found = await checkLoss(loss)
    complete(found)
    return found.problems.map(({ name }) => name)
  }

  test('reduced before the hinge, over tuples, over labels and in a formula', async () => {
    const overTuples = own((examples) => {
      const [ap, an] = pairs(examples)
      return { value: ap.mean().sub(an.mean()).add(0.2).relu() }
    })
    const overLabels = own((examples) => {
      if (examples.kind !== 'labelled') throw new Error('labels only')
      const { embeddings, labels } = examples
      const same = labels
        .unsqueeze([1])
        .equal(labels.unsqueeze([0]))
        .cast('float32')
      const distances = cosine.matrix(embeddings, embeddings)
      const average = (mask: typeof same) => distances.mul(mask).sum().div(mask.sum().maximum(1))
      return {
        value: average(same)
          .sub(average(same.neg().add(1)))
          .add(0.2)
          .relu(),
      }
    })
    const formula = triplet(({ ap, an }) => ap.mean().sub(an.mean()).add(0.2).relu())
    for (const loss of [overTuples, overLabels, formula]) expect(await names(loss)).toEqual(['reduced-before-hinge'])
    const right = own((examples) => {
      const [ap, an] = pairs(examples)
      return { value: ap.sub(an).add(0.2).relu().mean() }
    })
    expect(await names(right)).toEqual([])
  })

  test('triplets told by their rows', async () => {
    const loss = own((examples) => {
      if (examples.kind !== 'labelled') throw new Error('labels only')
      const third = examples.embeddings.shape[0]! / 3
      const [a, p, n] = [0, 1, 2].map((i) => examples.embeddings.slice(0, i * third, (i + 1) * third))
      return { value: cosine.pairwise(a!, p!).sub(cosine.pairwise(a!, n!)).add(0.2).relu().mean() }
    })
    expect(await names(loss)).toEqual(['depends-on-order'])
  })

  test('a metric that is a similarity', async () => {
    const similarity: Metric = {
      ...cosine,
      name: 'cosineSimilarity',
      range: [-1, 1],
      pairwise: (a, b) => cosine.pairwise(a, b).neg().add(1),
      matrix: (a, b) => cosine.matrix(a, b).neg().add(1),
    }
    expect(await names(triplet({ metric: similarity }))).toEqual(['similarity-for-distance'])
    // And a loss that says it is about a distance, but computes a similarity.
    const hidden = own((examples) => {
      const [ap, an] = pairs(examples, similarity)
      return { value: ap.sub(an).add(0.2).relu().mean() }
    })
    expect(await names(hidden)).toEqual(['similarity-for-distance'])
  })

  test('norms that a zero vector divides by', async () => {
    const loss = own((examples) => {
      if (examples.kind !== 'tuples') throw new Error('tuples only')
      const unit = (x: typeof examples.anchor) => x.div(x.square().sum([1], true).sqrt())
      const distance = (b: typeof examples.anchor) => unit(examples.anchor).mul(unit(b)).sum([1]).neg().add(1)
      return { value: distance(examples.positive).sub(distance(examples.negative)).add(0.2).relu().mean() }
    })
    const { problems } = await checkLoss(loss)
    expect(problems.map(({ name }) => name)).toEqual(['not-finite'])
    expect(problems[0]!.detail).toMatch(/a zero vector as the anchor/)
  })

  test('a constant, a missing hinge and flipped signs are seen without a formula too', async () => {
    const term = (of: (...distances: ReturnType<typeof pairs>) => ReturnType<Metric['pairwise']>) =>
      own((examples) => ({ value: of(...pairs(examples)).mean() }))
    expect(await names(term((ap, an) => an.sub(ap).add(0.2).relu()))).toEqual(['similarity-for-distance'])
    expect(await names(term((ap, an) => ap.sub(an)))).toEqual(['no-hinge'])
    expect(await names(term((ap) => ap.mul(0).add(1)))).toEqual(['constant'])
    expect(await names(term((ap, an) => ap.sub(0.5).relu().sub(an)))).toEqual(['never-compared'])
    expect(await names(term((ap, an) => ap.sub(an).sub(0.2).relu()))).toEqual(['dead-hinge'])
  })

  test('what is no loss at all cannot be checked', async () => {
    const vector = own((examples) => ({ value: pairs(examples)[0] }))
    await expect(checkLoss(vector)).rejects.toThrow(UsageError)
    const none = own(() => {
      throw new Error('not today')
    })
    await expect(checkLoss(none)).rejects.toThrow(/takes no examples that could be tried.*not today/)
  })
})

describe('losses that are right', () => {
  const ours = [...metricsByName.values()].flatMap((metric): [string, Loss][] => [
    [`triplet, ${metric.name}`, triplet({ metric })],
    [`smooth triplet, ${metric.name}`, triplet({ metric, smooth: true })],
    [`quadruplet, ${metric.name}`, quadruplet({ metric })],
  ])
  test.each([
    ...ours,
    ['batch-hard triplet', triplet({ mining: batchHard(), reduce: mean })] as const,
    ['batch-hard triplet, dot', triplet({ metric: metricsByName.get('dot')!, mining: batchHard() })] as const,
    ['semi-hard triplet', triplet({ mining: semiHard() })] as const,
    ['cosineMarginTriplet', cosineMarginTriplet()] as const,
    ['cosineMarginTriplet, s 1', cosineMarginTriplet({ scale: 1 })] as const,
    ['cosineMarginTriplet, s 64', cosineMarginTriplet({ scale: 64, margin: 0.5 })] as const,
    ['cosineMarginTriplet, batchHard', cosineMarginTriplet({ mining: batchHard() })] as const,
  ])('%s has no problem', async (_, loss) => {
    const found = await checkLoss(loss)
    expect(found.problems).toEqual([])
    expect(found.traits.map(({ name }) => name)).toContain('signs')
    complete(found)
  })

  test.each([
    ['contrastive, each distance with a threshold of its own', 'max(ap - 0.1, 0) + max(0.6 - an, 0)', 'cosine'],
    ['squared contrastive', 'ap^2 + max(1 - an, 0)^2', 'euclidean'],
    ['distance swap', 'max(ap - min(an, pn) + 0.2, 0)', 'cosine'],
    ['softplus', 'softplus(10 * (ap - an))', 'cosine'],
    ['exponential', 'exp(ap - an)', 'cosine'],
    ['a ratio of exponentials', '(exp(ap) / (exp(ap) + exp(an)))^2', 'euclidean'],
    ['a squared hinge', 'max(ap - an + 0.3, 0)^2', 'chord'],
    ['each distance within a hinge, and pulled besides', 'max(ap - an + 0.2, 0) + 0.1 * ap', 'cosine'],
    ['distances turned into similarities and back', 'max(0.2 + (1 - an) - (1 - ap), 0)', 'cosine'],
  ])('%s has no problem', async (_, formula, metric) => {
    expect((await checkExpression(formula, { metric })).problems).toEqual([])
  })

  test.each<[string, string, string[]]>([
    [
      'max(ap - an + 0.2, 0)',
      'cosine',
      ['Hinged', 'Zero once satisfied', 'Invariant to scale', 'Asks for an angle of 36.9°'],
    ],
    ['max(ap - an + 0.2, 0)', 'euclidean', ['Hinged', 'Depends on scale', 'Asks for a difference of 0.2']],
    ['softplus(64 * (ap - an + 0.2))', 'cosine', ['Smooth', 'Zero once satisfied']],
    ['softplus(ap - an)', 'cosine', ['Smooth', 'Never flat', 'Collapsed, it is 0.693']],
    // However steep a root or a logarithm begins, it has no hinge, and does not hide one.
    ['max(sqrt(ap + 1e-6) - sqrt(an + 1e-6) + 0.2, 0)', 'cosine', ['Hinged', 'Asks for an angle of 16.3°']],
    ['-log(1.001 - ap / 4) - log(an / 4 + 0.001)', 'squaredChord', ['Smooth', 'Never flat']],
  ])('%s in %s is what it is', async (formula, metric, expected) => {
    const { problems, traits } = await checkExpression(formula, { metric })
    expect(problems).toEqual([])
    expect(traits.map(({ title }) => title)).toEqual(expect.arrayContaining(expected))
  })
})
