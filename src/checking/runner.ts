/** A loss on embeddings: triplets and batches, each with its value and its gradient. */
import { compile } from '../compile.ts'
import { UsageError } from '../errors.ts'
import { differentiate } from '../graph/differentiate.ts'
import { constant, input, type Value } from '../graph/value.ts'
import type { Examples, Loss } from '../losses/loss.ts'
import type { Program } from '../runtime/session.ts'
import { DIMENSION } from './path.ts'

/** Which examples a loss takes: tuples of three or four, or labelled batches. */
export type Form = 'triplets' | 'quadruplets' | 'labelled'

const parts = ['anchor', 'positive', 'negative', 'secondNegative'] as const

export interface Outcome {
  readonly value: number
  /** One row for each embedding. */
  readonly gradient: readonly (readonly number[])[]
}

export interface Runner {
  readonly form: Form
  /** Rows of embeddings: for tuples all anchors, then all positives, negatives and second negatives. */
  run(rows: readonly (readonly number[])[], labels?: readonly number[]): Promise<Outcome>
  release(): Promise<void>
}

/**
 * The first form that the loss takes.
 *
 * @throws UsageError if it takes none.
 */
export function formOf(loss: Loss): Form {
  const refusals: string[] = []
  for (const form of ['triplets', 'quadruplets', 'labelled'] as const) {
    try {
      build(loss, form, form === 'labelled' ? 3 : 1)
      return form
    } catch (error) {
      refusals.push(`${form}: ${(error as Error).message}`)
    }
  }
  throw new UsageError(`The loss ${loss.name} takes no examples that could be tried. ${refusals.join(' ')}`)
}

/** Whether the loss can be built for so many examples of a form. Losses of others say no in their own ways. */
export function takes(loss: Loss, form: Form, count: number): boolean {
  try {
    build(loss, form, count)
    return true
  } catch {
    return false
  }
}

/** Compiles the loss for so many rows: tuples, or labelled embeddings. */
export async function runner(loss: Loss, form: Form, count: number): Promise<Runner> {
  const { rows, value } = build(loss, form, count)
  if (value.shape.length > 0) {
    throw new UsageError(
      `The loss ${loss.name} has the shape [${value.shape.join(', ')}]; expected one number. Reduce it with a mean or a sum.`,
    )
  }
  const [gradient] = differentiate(value, [rows])
  const program: Program = await compile({ value, gradient: gradient! })
  return {
    form,
    async run(embeddings, labels = embeddings.map((_, i) => i)) {
      const results = await program.run({
        rows: { dtype: 'float32', shape: rows.shape, data: Float32Array.from(embeddings.flat()) },
        ...(form === 'labelled' && {
          labels: { dtype: 'int32', shape: [count], data: Int32Array.from(labels) } as const,
        }),
      })
      const slopes = results.gradient!.data as Float32Array
      return {
        value: results.value!.data[0] as number,
        gradient: embeddings.map((_, i) => [...slopes.subarray(i * DIMENSION, (i + 1) * DIMENSION)]),
      }
    },
    release: () => program.release(),
  }
}

function build(loss: Loss, form: Form, count: number): { rows: Value; value: Value } {
  const width = { triplets: 3, quadruplets: 4, labelled: 1 }[form]
  const rows = input('rows', 'float32', [width * count, DIMENSION])
  const part = (i: number) => rows.slice(0, i * count, (i + 1) * count)
  const labels = input('labels', 'int32', [count])
  const examples: Examples =
    form === 'labelled'
      ? { kind: 'labelled', embeddings: rows, labels }
      : {
          kind: 'tuples',
          ...(Object.fromEntries(parts.slice(0, width).map((name, i) => [name, part(i)])) as Record<
            (typeof parts)[number],
            Value
          >),
        }
  const { value } = loss.build(examples, ownOf(loss, count))
  // A loss may leave an input out, and the runtime refuses to be fed what is not there.
  const nothing = rows.sum().add(form === 'labelled' ? labels.cast('float32').sum() : 0)
  return { rows, value: value.add(nothing.mul(0)) }
}

/** A loss's own variables as they are in the beginning. */
function ownOf(loss: Loss, classes: number): Readonly<Record<string, Value>> {
  const own = loss.variables?.({ dimension: DIMENSION, classes: Math.max(2, classes), seed: 0 }) ?? {}
  return Object.fromEntries(
    Object.entries(own).map(([name, { shape, data }]) => [name, constant('float32', shape, data)]),
  )
}
