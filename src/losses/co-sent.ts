/** Losses over graded pairs: CoSENT, AnglE and the squared error of the cosine. */
import { UsageError } from '../errors.ts'
import { concat, type Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { unit } from '../metrics/unit.ts'
import { checkPositive } from '../settings.ts'
import { batchOf } from './batch.ts'
import { onlyFor } from './checks.ts'
import type { Examples, Loss, Reducer } from './loss.ts'
import { mean, termsOf } from './reducers.ts'
import { logSumExp, ones } from './rows.ts'

export interface CoSentOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  /** λ > 0; 20 if left out. */
  readonly scale?: number
}

/** How similar rows are, pair by pair [n] and each with each [n, m]. */
interface Similarity {
  pairwise(a: Value, b: Value): Value
  matrix(a: Value, b: Value): Value
}

const cosines: Similarity = {
  pairwise: (a, b) => cosine.pairwise(a, b).neg().add(1),
  matrix: (a, b) => cosine.matrix(a, b).neg().add(1),
}

/**
 * CoSENT: of two pairs, that with the greater score is to have the greater cosine.
 *
 *   L = log(1 + Σ exp(λ (cos(j) − cos(i)))), over all pairs i, j with score(i) > score(j)
 *
 * Su, "CoSENT: A more efficient sentence vector scheme than Sentence-BERT", 2022. It takes graded pairs; of a labelled batch,
 * all pairs, with the score 1 for those of one class and 0 for the others.
 *
 * @throws UsageError if the metric is not cosine or λ is not above 0; when it is built, if there are tuples.
 */
export function coSENT({ metric = cosine, scale = 20 }: CoSentOptions = {}): Loss {
  return ranked('coSENT', metric, scale, cosines)
}

/** The first half of each row as real parts, the second as imaginary ones: b̄ so that Re and Im of a/b add up in one product. */
function turned(b: Value): Value {
  const d = b.shape[1]!
  if (d % 2 === 1) throw new UsageError(`angle takes embeddings of an even length, found ${d}.`)
  const [real, imaginary] = [unit(b).slice(1, 0, d / 2), unit(b).slice(1, d / 2, d)]
  return concat([real.sub(imaginary), real.add(imaginary)], 1)
}

const angles: Similarity = {
  pairwise: (a, b) => unit(a).mul(turned(b)).sum([1]).abs(),
  matrix: (a, b) => unit(a).matmul(turned(b).transpose()).abs(),
}

/**
 * AnglE: CoSENT with the difference of angles in complex space in place of the cosine, whose slope does not vanish near 0 and 1.
 *
 *   L = log(1 + Σ exp(λ (s(j) − s(i)))), s = |Re(a/b) + Im(a/b)| of rows as complex vectors of length 1
 *
 * Li and Li, "AnglE-optimized Text Embeddings", 2024, eq. 5 to 9. Takes what `coSENT` takes, of an even length.
 *
 * @throws UsageError as `coSENT`, and when it is built, if the length is odd.
 */
export function angle({ metric = cosine, scale = 20 }: CoSentOptions = {}): Loss {
  return ranked('angle', metric, scale, angles)
}

function ranked(name: string, metric: Metric, scale: number, similarity: Similarity): Loss {
  onlyFor(metric, cosine, name)
  checkPositive({ scale })
  return {
    name,
    metric,
    settings: { scale },
    over: 'batch',
    build(examples) {
      if (examples.kind === 'graded') {
        const { a, b, score } = examples
        const near = similarity.pairwise(a, b).mul(scale)
        const better = score.unsqueeze([1]).greater(score.unsqueeze([0]))
        const differences = near.unsqueeze([0]).sub(near.unsqueeze([1]))
        return { value: everything(differences, better).softplus() }
      }
      const { embeddings, batch, same, other } = allPairs(examples, metric, name)
      const near = similarity.matrix(embeddings, embeddings).mul(scale)
      // With two scores alone, the double sum is a product of sums.
      return { value: everything(near, other).add(everything(near.neg(), same)).softplus(), batch }
    },
  }
}

/** log Σ exp(x) over all elements of a matrix that a condition picks. */
function everything(x: Value, picked: Value): Value {
  return logSumExp(x, picked).logSumExp([0])
}

export interface CosineMseOptions {
  /** Only `cosine` fits. */
  readonly metric?: Metric
  readonly reduce?: Reducer
}

/**
 * The squared error of the cosine: (cos(a, b) − score)², scores from −1 to 1. Reimers and Gurevych, "Sentence-BERT", 2019,
 * section 3. It takes graded pairs; of a labelled batch, all pairs, as `coSENT`.
 *
 * @throws UsageError if the metric is not cosine; when it is built, if there are tuples.
 */
export function cosineMse({ metric = cosine, reduce = mean }: CosineMseOptions = {}): Loss {
  onlyFor(metric, cosine, 'cosineMse')
  return {
    name: 'cosineMse',
    metric,
    settings: { reduce: reduce.name },
    over: 'batch',
    scores: [-1, 1],
    build(examples) {
      if (examples.kind === 'graded') {
        const terms = cosines.pairwise(examples.a, examples.b).sub(examples.score).square()
        return { value: reduce.reduce(termsOf(reduce, terms, ones(terms))) }
      }
      const { batch, same, other } = allPairs(examples, metric, 'cosineMse')
      const [together, counted] = [same, same.or(other)].map((each) => each.cast('float32')) as [Value, Value]
      const terms = batch.distances.neg().add(1).sub(together).square()
      return { value: reduce.reduce(termsOf(reduce, terms, counted, batch.labels)), batch }
    },
  }
}

function allPairs(examples: Exclude<Examples, { kind: 'graded' }>, metric: Metric, name: string) {
  if (examples.kind !== 'labelled' || examples.references) {
    throw new UsageError(`${name} takes graded pairs { a, b, score } or one labelled batch.`)
  }
  const batch = batchOf(examples, metric)
  return { embeddings: examples.embeddings, batch, same: batch.same, other: batch.other }
}
