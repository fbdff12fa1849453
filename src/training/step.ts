/** One training step, compiled: encoder, loss, gradients and update as one graph that runs once a step. */

import { compile } from '../compile.ts'
import type { Augmentation } from '../data/augmentation.ts'
import type { Encoder, Values, Variables } from '../encoders/encoder.ts'
import { differentiate } from '../graph/differentiate.ts'
import { input, type Value } from '../graph/value.ts'
import type { Loss } from '../losses/loss.ts'
import type { Optimizer } from '../optimizers/optimizer.ts'
import type { Tensors } from '../runtime/session.ts'
import { allocate, type Tensor, type TensorType } from '../tensor.ts'
import { batchStatistics, type Statistic } from './statistics.ts'

export interface StepOptions {
  readonly encoder: Encoder
  readonly loss: Loss
  readonly optimizer: Optimizer
  /** The variables to begin with. */
  readonly variables: Variables
  /** How many examples a batch has. */
  readonly rows: number
  /** No class has more members in a batch than this. */
  readonly largestClass: number
  readonly augmentation?: Augmentation | undefined
  /** Of what the augmentation draws. */
  readonly seed?: number
  readonly threads?: number | undefined
  /** Whether statistics are computed; true if left out. Without them a step gives none. */
  readonly watch?: boolean
}

export interface Step {
  /**
   * Trains on one batch.
   *
   * @param pixels [rows, channels, height, width] bytes.
   * @param labels [rows].
   * @returns the loss, the statistics and some of the embeddings of the batch, as they were before the update.
   */
  run(
    pixels: Uint8Array,
    labels: Int32Array,
    rate: number,
  ): Promise<{ loss: number; statistics: Readonly<Record<Statistic, number>>; sample: Tensor }>
  /** A copy of all that the step changes, to go back to. */
  snapshot(): Tensors
  restore(snapshot: Tensors): void
  /** The variables as they are now. They change with the next step but one, so copy what has to stay. */
  variables(): Variables
  release(): Promise<void>
}

/** Names of outputs: what a step leaves for the next has its input's name behind this. */
const NEXT = 'next '
const STATISTIC = 'statistic '
const SAMPLE = 'sample'
/** How many embeddings of a batch are shown, spread over it evenly. */
const SAMPLED = 64

/**
 * Parameters, running statistics and the optimiser's state are held in two sets of buffers. A step reads one and writes
 * the other, because the runtime may write an output before it has read an input for the last time; then they swap.
 */
export async function compileStep(options: StepOptions): Promise<Step> {
  const { encoder, loss, variables, rows, augmentation, seed = 0, threads } = options
  const graph = buildStep(options)
  const program = await compile(graph.outputs, { threads })

  const initial: Tensors = {
    ...variables,
    ...Object.fromEntries(Object.entries(graph.optimizerState).map(([name, value]) => [name, zeros(value)])),
  }
  const draw = augmentation?.draws(seed)
  let current = copy(initial)
  let next = copy(initial)

  return {
    async run(pixels, labels, rate) {
      const { channels, height, width } = encoder.input
      const results = await program.run(
        {
          ...current,
          pixels: { dtype: 'uint8', shape: [rows, channels, height, width], data: pixels },
          labels: { dtype: 'int32', shape: [rows], data: labels },
          rate: { dtype: 'float32', shape: [], data: Float32Array.of(rate) },
          ...(draw && { drawn: draw(rows) }),
        },
        Object.fromEntries(Object.entries(next).map(([name, tensor]) => [NEXT + name, tensor])),
      )
      ;[current, next] = [next, current]
      const statistics = Object.entries(results).filter(([name]) => name.startsWith(STATISTIC))
      return {
        loss: results[loss.name]!.data[0] as number,
        statistics: Object.fromEntries(
          statistics.map(([name, { data }]) => [name.slice(STATISTIC.length), data[0] as number]),
        ) as Record<Statistic, number>,
        sample: results[SAMPLE]!,
      }
    },
    snapshot: () => copy(current),
    restore(snapshot) {
      for (const [name, { data }] of Object.entries(snapshot))
        (current[name]!.data as Float32Array).set(data as Float32Array)
    },
    variables: () =>
      Object.fromEntries(
        Object.entries(variables).map(([name, { trained }]) => {
          const { shape, data } = current[name]!
          return [name, { dtype: 'float32', shape, data: data as Float32Array, trained }]
        }),
      ),
    release: () => program.release(),
  }
}

function buildStep({
  encoder,
  loss,
  optimizer,
  variables,
  rows,
  largestClass,
  augmentation,
  watch = true,
}: StepOptions) {
  const { channels, height, width } = encoder.input
  const bytes = input('pixels', 'uint8', [rows, channels, height, width]).cast('float32')
  const pixels = augmentation ? augmentation.build(bytes, input('drawn', 'float32', augmentation.shape(rows))) : bytes
  const held = toInputs(variables)
  const { embedding, state } = encoder.build(pixels, held, 'train')
  const labels = input('labels', 'int32', [rows])
  const examples = { kind: 'labelled', embeddings: embedding, labels, largestClass } as const
  const built = loss.build(examples)

  const names = Object.keys(variables).filter((name) => variables[name]!.trained)
  const parameters = Object.fromEntries(names.map((name) => [name, held[name]!]))
  const [ofEmbedding, ...slopes] = differentiate(built.value, [embedding, ...Object.values(parameters)])
  const gradients = Object.fromEntries(names.map((name, i) => [name, slopes[i]!]))
  const shapes = Object.fromEntries(names.map((name) => [name, parameters[name]!.shape]))
  const optimizerState = toInputs(
    Object.fromEntries(
      Object.entries(optimizer.state(shapes)).map(([name, shape]) => [
        `optimizer ${name}`,
        { dtype: 'float32', shape },
      ]),
    ),
  )
  const strip = (values: Values) =>
    Object.fromEntries(Object.entries(values).map(([name, each]) => [name.replace('optimizer ', ''), each]))
  const updated = optimizer.update(gradients, strip(optimizerState), parameters, input('rate', 'float32', []))

  const outputs: Record<string, Value> = { [loss.name]: built.value }
  for (const [name, each] of Object.entries({ ...updated.parameters, ...state })) outputs[NEXT + name] = each
  for (const [name, each] of Object.entries(updated.state)) outputs[`${NEXT}optimizer ${name}`] = each
  const statistics = watch ? batchStatistics(examples, loss, built, ofEmbedding!) : {}
  for (const [name, each] of Object.entries(statistics)) outputs[STATISTIC + name] = each
  outputs[SAMPLE] = embedding.slice(0, 0, rows, Math.max(1, Math.floor(rows / SAMPLED)))
  return { outputs, optimizerState }
}

function toInputs(types: Readonly<Record<string, TensorType>>): Values {
  return Object.fromEntries(Object.entries(types).map(([name, { dtype, shape }]) => [name, input(name, dtype, shape)]))
}

function zeros(type: TensorType): Tensor {
  return { dtype: type.dtype, shape: type.shape, data: allocate(type) }
}

function copy(tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, { ...t, data: t.data.slice() }]))
}
