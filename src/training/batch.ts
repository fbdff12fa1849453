/** One batch, as it is fed to the graphs of a step. */
import type { Tensors } from '../runtime/session.ts'
import { size } from '../tensor.ts'
import { BATCH } from './graphs.ts'

export interface Batch {
  /** What the encoder takes, by name: `pixels` as bytes, or its named tensors. The first axis of each has `rows`. */
  readonly inputs: Tensors
  /** [rows]: the class of each, of labelled batches. Tuples lie in `inputs` part by part: all anchors first, then all positives. */
  readonly labels?: Int32Array
  /** [rows]: which example each row shows; for losses without labels. The numbers of the rows if left out. */
  readonly identities?: Int32Array
  /** [rows / 2]: how similar the two of each pair are, of graded pairs. */
  readonly score?: Float32Array
}

export function rowsOf({ inputs }: Batch): number {
  return Object.values(inputs)[0]!.shape[0]!
}

/** What the encoder takes, as it is fed. */
export function inputsOf({ inputs }: Batch): Tensors {
  return Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [BATCH + name, tensor]))
}

/** What is fed of the examples of a batch besides what the encoder takes. */
export function examplesOf({ labels, identities, score }: Batch): Tensors {
  if (score) return { [`${BATCH}score`]: { dtype: 'float32', shape: [score.length], data: score } }
  if (!labels) return {}
  const shape = [labels.length]
  return {
    [`${BATCH}labels`]: { dtype: 'int32', shape, data: labels },
    [`${BATCH}identities`]: { dtype: 'int32', shape, data: identities ?? Int32Array.from(labels.keys()) },
  }
}

/** What the encoder takes of a batch, in parts of at most `most` rows. */
export function split(batch: Batch, most: number): Batch[] {
  const rows = rowsOf(batch)
  const starts = Array.from({ length: Math.ceil(rows / most) }, (_, i) => i * most)
  return starts.map((start) => {
    const end = Math.min(start + most, rows)
    const parts = Object.entries(batch.inputs).map(([name, { dtype, shape, data }]) => {
      const row = size(shape.slice(1))
      return [name, { dtype, shape: shape.with(0, end - start), data: data.subarray(start * row, end * row) }] as const
    })
    return { inputs: Object.fromEntries(parts) }
  })
}
