/** The graphs that a step of training runs: all of it at once, or the parts that large batches are worked through in. */
import type { Augmentation } from '../data/augmentation.ts'
import type { Mask } from '../encoders/dropout.ts'
import { type Encoder, takesImages, type Values, type Variables } from '../encoders/encoder.ts'
import { differentiate } from '../graph/differentiate.ts'
import { toInputs } from '../graph/inputs.ts'
import { input, type Value } from '../graph/value.ts'
import type { Loss } from '../losses/loss.ts'
import type { Optimizer } from '../optimizers/optimizer.ts'
import type { TensorType } from '../tensor.ts'
import { NEXT } from './held.ts'
import { batchStatistics } from './statistics.ts'

export interface GraphOptions {
  readonly encoder: Encoder
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly variables: Variables
  /** No class has more members in a batch than this. */
  readonly largestClass: number
  readonly augmentation?: Augmentation | undefined
  /** Whether statistics are computed; true if left out. Without them a step gives none. */
  readonly watch?: boolean
}

export interface Graph {
  readonly outputs: Values
  readonly masks: readonly Mask[]
}

export type Types = Readonly<Record<string, TensorType>>

/** Names of inputs and outputs. What comes with a batch and what is held have a word before their own name. */
export const BATCH = 'batch '
export const OPTIMIZER = 'optimizer '
export const GRADIENT = 'gradient of '
export const STATISTIC = 'statistic '
export const SAMPLE = 'sample'
export const LOSS = 'loss'
export const EMBEDDING = 'embedding'
/** How many embeddings of a batch are shown, spread over it evenly. */
const SAMPLED = 64

/** Encoder, loss, gradients and update in one. */
export async function wholeStep(options: GraphOptions, types: Types): Promise<Graph> {
  const { outputs, masks, trained, slopes } = await backwards(options, types)
  return { outputs: { ...outputs, ...updated(options, slopes, trained) }, masks }
}

/** Encoder, loss and gradients, added to those that are held. */
export async function gradientStep(options: GraphOptions, types: Types): Promise<Graph> {
  const { outputs, masks, slopes } = await backwards(options, types)
  return { outputs: { ...outputs, ...added(slopes) }, masks }
}

/** Through encoder and loss and back, to the gradients of the parameters. */
async function backwards(options: GraphOptions, types: Types) {
  const { embedding: output, state, masks, held } = await encode(options, types)
  const { value, outputs, shown } = lossOf(options, output)
  const trained = trainedOf(options, held)
  const [ofEmbedding, ...slopes] = differentiate(value, [output, ...Object.values(trained)])
  return {
    outputs: { ...outputs, ...shown(ofEmbedding!), ...next(state) },
    masks,
    trained,
    slopes: named(trained, slopes),
  }
}

/** The embeddings alone, as training computes them. */
export async function embedding(options: GraphOptions, types: Types): Promise<Graph> {
  const encoded = await encode(options, types)
  return { outputs: { [EMBEDDING]: encoded.embedding }, masks: encoded.masks }
}

/** The loss of embeddings that are fed, and its gradient with respect to them. */
export function lossAlone(options: GraphOptions, type: TensorType): Graph {
  const embeddings = input(EMBEDDING, type.dtype, type.shape)
  const { value, outputs, shown } = lossOf(options, embeddings)
  const [gradient] = differentiate(value, [embeddings])
  return { outputs: { ...outputs, ...shown(gradient!), [GRADIENT + EMBEDDING]: gradient! }, masks: [] }
}

/** From the gradient of the embeddings to those of the parameters, added to those that are held. */
export async function pullback(options: GraphOptions, types: Types): Promise<Graph> {
  const { embedding: output, state, masks, held } = await encode(options, types)
  const trained = trainedOf(options, held)
  const upstream = input(GRADIENT + EMBEDDING, output.dtype, output.shape)
  const slopes = differentiate(output, Object.values(trained), upstream)
  return { outputs: { ...next(state), ...added(named(trained, slopes)) }, masks }
}

/** The optimiser's update by the held gradients over how many batches they were added up. */
export function update(options: GraphOptions): Graph {
  const trained = trainedOf(options, toInputs(options.variables))
  const count = input('batches', 'float32', [])
  const mean = Object.entries(trained).map(([name, { shape }]) => input(GRADIENT + name, 'float32', shape).div(count))
  return { outputs: updated(options, named(trained, mean), trained), masks: [] }
}

/** What the optimiser holds, by the names that steps hold it under. */
export function optimizerTypes({ optimizer, variables }: GraphOptions): Types {
  const shapes = optimizer.state(
    Object.fromEntries(trainedNames(variables).map((name) => [name, variables[name]!.shape])),
  )
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [OPTIMIZER + name, { dtype: 'float32', shape } as const]),
  )
}

export function trainedNames(variables: Variables): string[] {
  return Object.keys(variables).filter((name) => variables[name]!.trained)
}

async function encode({ encoder, variables, augmentation }: GraphOptions, types: Types) {
  const fed = Object.fromEntries(
    Object.entries(types).map(([name, { dtype, shape }]) => [name, input(BATCH + name, dtype, shape)]),
  )
  const held = toInputs(variables)
  const encoded = await encoder.build(takesImages(encoder) ? images(fed, augmentation) : fed, held, 'train')
  return { ...encoded, masks: encoded.masks ?? [], held }
}

function images({ pixels }: Values, augmentation: Augmentation | undefined): Values {
  const rows = pixels!.shape[0]!
  const values = pixels!.cast('float32')
  return {
    pixels: augmentation
      ? augmentation.build(values, input(`${BATCH}drawn`, 'float32', augmentation.shape(rows)))
      : values,
  }
}

/** The loss of a batch, what is shown of it, and what can be shown once its gradient is known. */
function lossOf({ loss, largestClass, watch = true }: GraphOptions, embeddings: Value) {
  const rows = embeddings.shape[0]!
  const labels = input(`${BATCH}labels`, 'int32', [rows])
  const examples = { kind: 'labelled', embeddings, labels, largestClass } as const
  const built = loss.build(examples)
  return {
    value: built.value,
    outputs: { [LOSS]: built.value, [SAMPLE]: embeddings.slice(0, 0, rows, Math.max(1, Math.floor(rows / SAMPLED))) },
    shown: (gradient: Value) => prefixed(STATISTIC, watch ? batchStatistics(examples, loss, built, gradient) : {}),
  }
}

function updated({ optimizer, ...options }: GraphOptions, gradients: Values, parameters: Values): Values {
  const state = toInputs(optimizerTypes({ optimizer, ...options }))
  const own = Object.fromEntries(Object.entries(state).map(([name, value]) => [name.slice(OPTIMIZER.length), value]))
  const after = optimizer.update(gradients, own, parameters, input('rate', 'float32', []))
  return next({ ...after.parameters, ...prefixed(OPTIMIZER, after.state) })
}

function added(gradients: Values): Values {
  const sums = Object.entries(gradients).map(([name, slope]) => {
    return [GRADIENT + name, input(GRADIENT + name, slope.dtype, slope.shape).add(slope)] as const
  })
  return next(Object.fromEntries(sums))
}

function trainedOf({ variables }: GraphOptions, held: Values): Values {
  return Object.fromEntries(trainedNames(variables).map((name) => [name, held[name]!]))
}

function named(parameters: Values, slopes: readonly Value[]): Values {
  return Object.fromEntries(Object.keys(parameters).map((name, i) => [name, slopes[i]!]))
}

function next(values: Values): Values {
  return prefixed(NEXT, values)
}

function prefixed(prefix: string, values: Values): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]))
}
