/** A loss on plain arrays: its value, and its gradient with respect to the embeddings. */
import { compile } from '../compile.ts'
import { DataError } from '../errors.ts'
import { differentiate } from '../graph/differentiate.ts'
import { input, type Value } from '../graph/value.ts'
import type { Examples, Loss } from '../losses/loss.ts'
import type { Tensors } from '../runtime/session.ts'
import { type Rows, toLabels, toRows } from './arrays.ts'

/** A batch as plain data. */
export interface LabelledRows<R extends Rows = Rows> {
  /** [n, d], as one array a row or as `{ data, shape }`. */
  readonly embeddings: R
  /** [n]: equal labels belong together. */
  readonly labels: ArrayLike<number | string>
}

/** Tuples as plain data: row i of each belongs together. Each [n, d]. */
export interface TupleRows<R extends Rows = Rows> {
  readonly anchor: R
  readonly positive: R
  readonly negative: R
  readonly secondNegative?: R
}

/** In the form that the embeddings had: [n, d] row-major, or an array a row. */
export type Gradient<R extends Rows = Rows> = R extends { readonly data: ArrayLike<number> } ? Float32Array : number[][]

/**
 * Evaluates a loss once.
 *
 * @returns the value, and its gradient with respect to the embeddings; for tuples, to each part of them.
 * @throws DataError if rows differ in length, hold numbers that are not finite, or do not match labels or each other;
 *   UsageError if the loss is not defined for such examples.
 */
export function valueAndGradient<R extends Rows>(
  loss: Loss,
  batch: LabelledRows<R>,
): Promise<{ value: number; gradient: Gradient<R> }>
export function valueAndGradient<R extends Rows>(
  loss: Loss,
  batch: TupleRows<R>,
): Promise<{ value: number; gradient: { readonly [part in keyof TupleRows]: Gradient<R> } }>
export async function valueAndGradient(loss: Loss, batch: LabelledRows | TupleRows): Promise<unknown> {
  if ('embeddings' in batch) {
    const rows = toRows(batch.embeddings, 'embeddings')
    const [n] = rows.shape
    const { labels, largestClass } = toLabels(batch.labels, n)
    const embeddings = input('embeddings', 'float32', rows.shape)
    const examples = { kind: 'labelled', embeddings, labels: input('labels', 'int32', [n]), largestClass } as const
    const feeds = { embeddings: rows, labels: { dtype: 'int32', shape: [n], data: labels } } as const
    const { value, gradients } = await evaluate(loss, examples, { embeddings }, feeds)
    return { value, gradient: inFormOf(batch.embeddings, gradients.embeddings!) }
  }
  const parts = Object.entries(batch) as [keyof TupleRows, Rows][]
  const feeds = Object.fromEntries(parts.map(([part, rows]) => [part, toRows(rows, `rows of ${part}`)]))
  const shapes = new Set(Object.values(feeds).map(({ shape }) => shape.join(' × ')))
  if (shapes.size > 1)
    throw new DataError(`The parts of the tuples are ${[...shapes].join(' and ')}; expected one shape for all.`)
  const values = Object.fromEntries(parts.map(([part]) => [part, input(part, 'float32', feeds[part]!.shape)]))
  const examples = { kind: 'tuples', ...(values as Record<'anchor' | 'positive' | 'negative', Value>) } as const
  const { value, gradients } = await evaluate(loss, examples, values, feeds)
  return {
    value,
    gradient: Object.fromEntries(parts.map(([part, rows]) => [part, inFormOf(rows, gradients[part]!)])),
  }
}

async function evaluate(loss: Loss, examples: Examples, targets: Readonly<Record<string, Value>>, feeds: Tensors) {
  const { value } = loss.build(examples)
  const names = Object.keys(targets)
  const gradients = differentiate(value, Object.values(targets))
  const program = await compile({ value, ...Object.fromEntries(names.map((name, i) => [`by ${name}`, gradients[i]!])) })
  try {
    const results = await program.run(feeds)
    return {
      value: results.value!.data[0] as number,
      gradients: Object.fromEntries(names.map((name) => [name, results[`by ${name}`]!.data as Float32Array])),
    }
  } finally {
    await program.release()
  }
}

function inFormOf(rows: Rows, gradient: Float32Array): Gradient {
  if ('data' in rows) return gradient
  const d = gradient.length / rows.length
  return Array.from(rows, (_, i) => [...gradient.subarray(i * d, (i + 1) * d)])
}
