/** How batches are made of examples: of some classes, or of tuples. */
import { classSampler, type DrawOptions, type Source, type Tuples, tupleSampler } from '../data/index.ts'
import { type Encoder, inputName } from '../encoders/encoder.ts'
import type { Loss } from '../losses/loss.ts'
import type { Batch } from './batch.ts'
import { type ExamplesKind, kindOf } from './examples.ts'

export interface BatchOptions {
  readonly encoder: Encoder
  readonly loss: Loss
  readonly classesPerBatch: number
  readonly perClass: number
  readonly sampling?: DrawOptions | undefined
  readonly tuplesPerBatch: number
  readonly seed: number
  readonly warn?: (message: string) => void
}

/** An endless supply of batches, all of one shape. */
export interface Batches {
  /** What the batches are to a loss. */
  readonly kind: ExamplesKind
  /** Rows that go through the encoder. */
  readonly rows: number
  /** Examples, or tuples, in a batch. */
  readonly drawn: number
  /** No class has more members in a batch than this. */
  readonly largestClass: number
  /** How many classes there are in all. */
  readonly classes: number
  next(): Promise<Batch>
  /** Passes over one. */
  skip(): void
}

/** @throws as `classSampler` and `tupleSampler`. */
export function batchesOf(data: Source | Tuples, options: BatchOptions): Batches {
  return 'examples' in data ? ofTuples(data, options) : ofClasses(data, options)
}

function ofClasses(source: Source, options: BatchOptions): Batches {
  const { views = 1 } = options.loss
  const sampler = classSampler(source.labels, { ...options, ...options.sampling })
  return {
    kind: 'labelled',
    rows: views * sampler.rows,
    drawn: sampler.rows,
    largestClass: views * sampler.perClass,
    classes: source.classes.length,
    async next() {
      const drawn = sampler.next()
      const rows = Int32Array.from({ length: views * drawn.length }, (_, i) => drawn[i % drawn.length]!)
      return {
        inputs: { [inputName(options.encoder)]: await source.read(rows) },
        labels: rows.map((row) => source.labels[row]!),
        identities: rows,
      }
    },
    skip: () => void sampler.next(),
  }
}

/** The parts of the tuples one after the other: all anchors, then all positives, and so on. */
function ofTuples(data: Tuples, options: BatchOptions): Batches {
  const { length, members, examples, score } = data
  const sampler = tupleSampler(length, options)
  const parts = Object.values(members)
  return {
    kind: kindOf(data),
    rows: parts.length * sampler.tuples,
    drawn: sampler.tuples,
    largestClass: 1,
    classes: 0,
    async next() {
      const drawn = sampler.next()
      const rows = new Int32Array(parts.length * drawn.length)
      for (const [i, part] of parts.entries()) {
        rows.set(
          drawn.map((place) => part[place]!),
          i * drawn.length,
        )
      }
      return {
        inputs: { [inputName(options.encoder)]: await examples.read(rows) },
        ...(score && { score: Float32Array.from(drawn, (place) => score[place]!) }),
      }
    },
    skip: () => void sampler.next(),
  }
}
