/** A loss on plain arrays: its value, and its gradient with respect to the embeddings. */

import { compile } from '../compile.ts'
import { differentiate } from '../graph/differentiate.ts'
import { input } from '../graph/value.ts'
import type { Loss } from '../losses/loss.ts'
import { type Rows, toLabels, toRows } from './arrays.ts'

/** A batch as plain data. */
export interface LabelledRows {
  /** [n, d], as one array a row or as `{ data, shape }`. */
  readonly embeddings: Rows
  /** [n]: equal labels belong together. */
  readonly labels: ArrayLike<number | string>
}

/**
 * Evaluates a loss once.
 *
 * @returns the value, and the gradient in the form that the embeddings had: an array a row, or [n, d] row-major.
 * @throws DataError if rows differ in length, hold numbers that are not finite, or do not match the labels.
 */
export async function valueAndGradient(
  loss: Loss,
  { embeddings, labels }: LabelledRows,
): Promise<{ value: number; gradient: Float32Array | number[][] }> {
  const rows = toRows(embeddings, 'embeddings')
  const [n, d] = rows.shape
  const { labels: numbers, largestClass } = toLabels(labels, n)
  const x = input('embeddings', 'float32', [n, d])
  const { value } = loss.build({ kind: 'labelled', embeddings: x, labels: input('labels', 'int32', [n]), largestClass })
  const [gradient] = differentiate(value, [x])
  const program = await compile({ value, gradient: gradient! })
  const results = await program.run({
    embeddings: rows,
    labels: { dtype: 'int32', shape: [n], data: numbers },
  })
  await program.release()
  const data = results.gradient!.data as Float32Array
  return {
    value: results.value!.data[0] as number,
    gradient: 'data' in embeddings ? data : Array.from({ length: n }, (_, i) => [...data.subarray(i * d, (i + 1) * d)]),
  }
}
