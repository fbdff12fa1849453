/** Layers put on an encoder that someone else trained, to fit its embeddings to one's own notion of similar. */
import { UsageError } from '../../errors.ts'
import type { Value } from '../../graph/value.ts'
import { random } from '../../random.ts'
import type { Values, Variables } from '../encoder.ts'
import { dense, denseVariables } from '../layers.ts'

export interface Head {
  /** One dense layer, or two with relu between them. */
  readonly kind: 'linear' | 'mlp'
  /** d, the length of an embedding. */
  readonly dimension: number
  /** The width between the layers of `mlp`; that of what comes in if left out. */
  readonly hidden?: number | undefined
}

/** The widths of the layers of a head, from what comes in to the embedding. */
function widths({ kind, dimension, hidden }: Head, features: number): number[] {
  for (const width of [dimension, hidden ?? 1]) {
    if (!Number.isInteger(width) || width < 1) {
      throw new UsageError(`A head has layers of at least 1 number, found ${width}.`)
    }
  }
  return kind === 'linear' ? [features, dimension] : [features, hidden ?? features, dimension]
}

export function headVariables(head: Head, features: number, seed: number): Variables {
  const source = random(seed, 'head')
  const all = widths(head, features)
  return Object.assign({}, ...all.slice(1).map((outputs, i) => denseVariables(String(i), all[i]!, outputs, source)))
}

/** [n, features] → [n, d]. */
export function buildHead(head: Head, x: Value, variables: Values): Value {
  const layers = widths(head, x.shape[1]!).length - 1
  let y = x
  for (let i = 0; i < layers; i++) y = dense(i > 0 ? y.relu() : y, String(i), variables)
  return y
}
