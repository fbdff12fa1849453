/** A loss on plain arrays: its value, and its gradient with respect to the embeddings and its own variables. */
import { compile } from '../compile.ts'
import type { Variables } from '../encoders/encoder.ts'
import { DataError } from '../errors.ts'
import { differentiate } from '../graph/differentiate.ts'
import { toInputs } from '../graph/inputs.ts'
import { input, type Value } from '../graph/value.ts'
import type { Examples, Loss } from '../losses/loss.ts'
import { drawUniform, randomInputs } from '../mining/random-inputs.ts'
import type { Tensors } from '../runtime/session.ts'
import { type Rows, toClasses, toRows } from './arrays.ts'

/** A batch as plain data. */
export interface LabelledRows<R extends Rows = Rows> {
  /** [n, d], as one array a row or as `{ data, shape }`. */
  readonly embeddings: R
  /** [n]: equal labels belong together. Whole numbers from 0 are the classes of losses with class weights. */
  readonly labels: ArrayLike<number | string>
  /** What the batch is compared with in place of itself: [m, d] and [m]. No gradient is taken of it. */
  readonly references?: { readonly embeddings: Rows; readonly labels: ArrayLike<number | string> }
}

/** Tuples as plain data: row i of each belongs together. Each [n, d]. */
export interface TupleRows<R extends Rows = Rows> {
  readonly anchor: R
  readonly positive: R
  readonly negative: R
  readonly secondNegative?: R
}

/** Pairs that belong together, as plain data. Each [n, d]. */
export interface PairRows<R extends Rows = Rows> extends Pick<TupleRows<R>, 'anchor' | 'positive'> {
  readonly negative?: never
}

/** Pairs with how similar they are: `a` and `b` [n, d], `score` [n]. */
export interface GradedRows<R extends Rows = Rows> {
  readonly a: R
  readonly b: R
  readonly score: ArrayLike<number>
}

/** In the form that the embeddings had: [n, d] row-major, or an array a row. */
export type Gradient<R extends Rows = Rows> = R extends { readonly data: ArrayLike<number> } ? Float32Array : number[][]

export interface ValueAndGradientOptions {
  /** The loss's own variables; those that it begins with if left out. */
  readonly variables?: Variables
  /** Of what miners draw, and of those variables; 0 if left out. */
  readonly seed?: number
}

/** What a loss gives beside its value and its gradient: the gradients of its own variables that are trained, row-major. */
export interface OwnGradients {
  readonly value: number
  readonly variables: Readonly<Record<string, Float32Array>>
}

/**
 * Evaluates a loss once.
 *
 * @returns the value, and its gradient with respect to the embeddings; for tuples and pairs, to each part of them.
 * @throws DataError if rows differ in length, hold numbers that are not finite, or do not match labels or each other;
 *   UsageError if the loss is not defined for such examples.
 */
export function valueAndGradient<R extends Rows>(
  loss: Loss,
  batch: LabelledRows<R>,
  options?: ValueAndGradientOptions,
): Promise<OwnGradients & { gradient: Gradient<R> }>
export function valueAndGradient<R extends Rows>(
  loss: Loss,
  batch: TupleRows<R>,
  options?: ValueAndGradientOptions,
): Promise<
  OwnGradients & {
    gradient: Readonly<Record<'anchor' | 'positive' | 'negative', Gradient<R>>> & {
      readonly secondNegative?: Gradient<R>
    }
  }
>
export function valueAndGradient<R extends Rows>(
  loss: Loss,
  batch: PairRows<R>,
  options?: ValueAndGradientOptions,
): Promise<OwnGradients & { gradient: Readonly<Record<'anchor' | 'positive', Gradient<R>>> }>
export function valueAndGradient<R extends Rows>(
  loss: Loss,
  batch: GradedRows<R>,
  options?: ValueAndGradientOptions,
): Promise<OwnGradients & { gradient: { readonly a: Gradient<R>; readonly b: Gradient<R> } }>
export async function valueAndGradient(
  loss: Loss,
  batch: LabelledRows | TupleRows | PairRows | GradedRows,
  { seed = 0, ...options }: ValueAndGradientOptions = {},
): Promise<unknown> {
  const random = randomInputs('')
  if ('embeddings' in batch) {
    const { examples, feeds, classes } = labelled(batch)
    const made = await evaluate(loss, { ...examples, random }, { embeddings: examples.embeddings }, feeds, classes)
    return { ...made, gradient: inFormOf(batch.embeddings, made.gradient.embeddings!) }
  }
  const { score, ...rest } = batch as GradedRows
  const parts = Object.entries(rest) as [string, Rows][]
  const feeds: Record<string, Tensors[string]> = Object.fromEntries(
    parts.map(([part, rows]) => [part, toRows(rows, `rows of ${part}`)]),
  )
  const shapes = new Set(Object.values(feeds).map(({ shape }) => shape.join(' × ')))
  if (shapes.size > 1)
    throw new DataError(`The parts of the tuples are ${[...shapes].join(' and ')}; expected one shape for all.`)
  const values = Object.fromEntries(parts.map(([part]) => [part, input(part, 'float32', feeds[part]!.shape)]))
  const kind = score ? 'graded' : 'negative' in batch ? 'tuples' : 'pairs'
  const examples = { kind, ...values } as Record<string, unknown>
  if (score) {
    const rows = Object.values(values)[0]!.shape[0]!
    if (score.length !== rows)
      throw new DataError(`There are ${score.length} scores for ${rows} pairs; expected one each.`)
    examples.score = input('score', 'float32', [rows])
    feeds.score = { dtype: 'float32', shape: [rows], data: Float32Array.from(score) }
  }
  const made = await evaluate(loss, examples as unknown as Examples, values, feeds, 2)
  const gradient = Object.fromEntries(parts.map(([part, rows]) => [part, inFormOf(rows, made.gradient[part]!)]))
  return { ...made, gradient }

  async function evaluate(
    of: Loss,
    examples: Examples,
    targets: Readonly<Record<string, Value>>,
    feeds: Tensors,
    classes: number,
  ) {
    const dimension = Object.values(targets)[0]!.shape[1]!
    const variables = options.variables ?? of.variables?.({ dimension, classes, seed }) ?? {}
    const prefixed = Object.fromEntries(Object.entries(variables).map(([name, each]) => [OWN + name, each]))
    const held = toInputs(prefixed)
    const own = Object.fromEntries(Object.keys(variables).map((name) => [name, held[OWN + name]!]))
    const { value } = of.build(examples, own)
    const trained = Object.keys(variables).filter((name) => variables[name]!.trained)
    const wanted = { ...targets, ...Object.fromEntries(trained.map((name) => [OWN + name, own[name]!])) }
    const slopes = differentiate(value, Object.values(wanted))
    const outputs = Object.fromEntries(Object.keys(wanted).map((name, i) => [`by ${name}`, slopes[i]!]))
    const program = await compile({ value, ...outputs })
    try {
      const results = await program.run({ ...feeds, ...prefixed, ...drawUniform(random.values, seed, '') })
      const by = (names: readonly string[], prefix: string) =>
        Object.fromEntries(names.map((name) => [name, results[`by ${prefix}${name}`]!.data as Float32Array]))
      return {
        value: results.value!.data[0] as number,
        gradient: by(Object.keys(targets), ''),
        variables: by(trained, OWN),
      }
    } finally {
      await program.release()
    }
  }
}

/** Before the names of a loss's own variables. */
const OWN = 'own '

function labelled({ embeddings, labels, references }: LabelledRows) {
  const rows = toRows(embeddings, 'embeddings')
  const others = references && toRows(references.embeddings, 'references')
  if (others && others.shape[1] !== rows.shape[1]) {
    throw new DataError(`The references have ${others.shape[1]} dimensions, the embeddings ${rows.shape[1]}.`)
  }
  const lists = [
    { labels, rows: rows.shape[0] },
    ...(references ? [{ labels: references.labels, rows: others!.shape[0] }] : []),
  ]
  const { numbers, largest, classes } = toClasses(lists)
  const name = (i: number) => (i === 0 ? 'labels' : 'reference labels')
  const labelValues = numbers.map((each, i) => input(name(i), 'int32', [each.length]))
  const labelFeeds = numbers.map((data, i) => [name(i), { dtype: 'int32', shape: [data.length], data }] as const)
  return {
    classes,
    examples: {
      kind: 'labelled',
      embeddings: input('embeddings', 'float32', rows.shape),
      labels: labelValues[0]!,
      largestClass: largest[0]!,
      ...(others && {
        references: {
          embeddings: input('references', 'float32', others.shape),
          labels: labelValues[1]!,
          largestClass: largest[1]!,
        },
      }),
    } as const,
    feeds: { embeddings: rows, ...(others && { references: others }), ...Object.fromEntries(labelFeeds) } as Tensors,
  }
}

function inFormOf(rows: Rows, gradient: Float32Array): Gradient {
  if ('data' in rows) return gradient
  const d = gradient.length / rows.length
  return Array.from(rows, (_, i) => [...gradient.subarray(i * d, (i + 1) * d)])
}
