/** What a batch of embeddings is to a loss: labelled rows, or the parts of tuples one after the other. */
import type { Source, Tuples } from '../data/index.ts'
import { concat, input, type Value } from '../graph/value.ts'
import type { Examples } from '../losses/loss.ts'
import type { RandomInputs } from '../mining/miner.ts'

/** The kinds of batches; quadruplets are tuples with a second negative. */
export type ExamplesKind = 'labelled' | 'tuples' | 'quadruplets' | 'pairs' | 'graded'

/** What batches of the data are to a loss. */
export function kindOf(data: Source | Tuples): ExamplesKind {
  if (!('examples' in data)) return 'labelled'
  return 'secondNegative' in data.members ? 'quadruplets' : data.kind
}

/** How many parts of a batch's rows belong together, row by row. */
export const partsOf: Readonly<Record<ExamplesKind, number>> = {
  labelled: 1,
  tuples: 3,
  quadruplets: 4,
  pairs: 2,
  graded: 2,
}

export interface ExamplesOptions {
  readonly kind?: ExamplesKind | undefined
  /** No class has more members in a batch than this. */
  readonly largestClass: number
  readonly random?: RandomInputs
  /** Before the names of what is fed with a batch: labels and identities, or scores. */
  readonly prefix: string
}

/**
 * @param embeddings [rows, d]
 * @param others [rows, d]: what the same rows are where they are compared with, if that is another thing: the vectors
 *   themselves, or what a slow encoder makes of them.
 */
export function examplesOf(
  { kind = 'labelled', largestClass, random, prefix }: ExamplesOptions,
  embeddings: Value,
  others?: Value,
): Examples {
  const [rows] = embeddings.shape as [number]
  if (kind === 'labelled') {
    const [labels, identities] = ['labels', 'identities'].map((name) => input(prefix + name, 'int32', [rows]))
    const references = others && { embeddings: others, labels: labels!, own: 0, largestClass }
    return { kind, embeddings, labels: labels!, identities, largestClass, random, references }
  }
  const n = rows / partsOf[kind]
  const part = (i: number) => (i === 0 ? embeddings : (others ?? embeddings)).slice(0, i * n, (i + 1) * n)
  if (kind === 'graded') return { kind, a: part(0), b: part(1), score: input(`${prefix}score`, 'float32', [n]) }
  if (kind === 'pairs') return { kind, anchor: part(0), positive: part(1) }
  const secondNegative = kind === 'quadruplets' ? part(3) : undefined
  return { kind: 'tuples', anchor: part(0), positive: part(1), negative: part(2), secondNegative }
}

/** The rows that ask, and all that they are compared with: tuples and pairs as two matrices. */
export function sidesOf(examples: Exclude<Examples, { kind: 'labelled' }>): { asking: Value; answering: Value } {
  if (examples.kind === 'graded') return { asking: examples.a, answering: examples.b }
  const { anchor, positive } = examples
  return { asking: anchor, answering: examples.kind === 'pairs' ? positive : concat([positive, examples.negative], 0) }
}
