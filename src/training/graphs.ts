/** The graphs that a step of training runs: all of it at once, or the parts that large batches are worked through in. */
import type { Augmentation } from '../data/augmentations/augmentation.ts'
import type { Mask } from '../encoders/dropout.ts'
import { type Encoder, inputName, takesImages, type Values, type Variables } from '../encoders/encoder.ts'
import { differentiate } from '../graph/differentiate.ts'
import { toInputs } from '../graph/inputs.ts'
import { input, type Value } from '../graph/value.ts'
import type { Loss } from '../losses/loss.ts'
import { randomInputs } from '../mining/random-inputs.ts'
import type { Optimizer } from '../optimizers/optimizer.ts'
import type { TensorType } from '../tensor.ts'
import { type ExamplesKind, examplesOf } from './examples.ts'
import { NEXT } from './held.ts'
import { batchStatistics } from './statistics.ts'

export interface GraphOptions {
  readonly encoder: Encoder
  readonly loss: Loss
  readonly optimizer: Optimizer
  /** The encoder's. */
  readonly variables: Variables
  /** How many classes there are in training; for losses with weights for each. */
  readonly classes?: number | undefined
  /** Of what augmentation, dropout and mining draw, and a loss's own variables in the beginning; 0 if left out. */
  readonly seed?: number
  /** What batches are to the loss; `labelled` if left out. */
  readonly kind?: ExamplesKind | undefined
  /** What is trained: `queries` compares embeddings with the vectors themselves, which stay as they are; `all` if left out. */
  readonly adapt?: Adapt | undefined
  /** No class has more members in a batch than this. */
  readonly largestClass: number
  readonly augmentation?: Augmentation | undefined
  /** Whether statistics are computed; true if left out. Without them a step gives none. */
  readonly watch?: boolean
}

export interface Graph {
  readonly outputs: Values
  readonly masks: readonly Mask[]
  /** What miners draw. */
  readonly drawn?: readonly Value[]
}

/** Which side of a comparison training changes: both, or the queries alone, which a gallery of raw vectors then answers. */
export type Adapt = 'all' | 'queries'

export type Types = Readonly<Record<string, TensorType>>

/**
 * Names of inputs and outputs. What comes with a batch and what is held have a word before their own name, and what is a
 * step's has one too: parameters keep their names, and one may be called `loss` or `embedding`.
 */
export const BATCH = 'batch '
export const OPTIMIZER = 'optimizer '
export const GRADIENT = 'gradient of '
export const STATISTIC = 'statistic '
/** Of the loss's own variables, and of the parameters of a slow encoder. */
export const OWN = 'loss '
export const SLOW = 'slow '
export const SAMPLE = 'step sample'
export const LOSS = 'step loss'
export const EMBEDDING = 'step embedding'
export const RATE = 'step rate'
export const BATCHES = 'step batches'
/** How many embeddings of a batch are shown, spread over it evenly. */
const SAMPLED = 64

/** Encoder, loss, gradients and update in one. */
export async function wholeStep(options: GraphOptions, types: Types): Promise<Graph> {
  const { outputs, trained, slopes, held, ...rest } = await backwards(options, types)
  return { outputs: { ...outputs, ...updated(options, slopes, trained, held) }, ...rest }
}

/** Encoder, loss and gradients, added to those that are held. */
export async function gradientStep(options: GraphOptions, types: Types): Promise<Graph> {
  const { outputs, slopes, trained: _, held: __, ...rest } = await backwards(options, types)
  return { outputs: { ...outputs, ...added(slopes) }, ...rest }
}

/** Through encoder and loss and back, to the gradients of the parameters. */
async function backwards(options: GraphOptions, types: Types) {
  const { embedding: output, state, masks, held, fed } = await encode(options, types)
  const { value, outputs, shown, drawn } = lossOf(options, output, held, await others(options, fed, held))
  const trained = trainedOf(options, held)
  const [ofEmbedding, ...slopes] = differentiate(value, [output, ...Object.values(trained)])
  return {
    outputs: { ...outputs, ...shown(ofEmbedding!), ...next(state) },
    masks,
    drawn,
    held,
    trained,
    slopes: named(trained, slopes),
  }
}

/**
 * What the same rows are where they are compared with: themselves as they came, where queries alone are adapted; what the slow
 * encoder makes of them, where the loss wants one: alone for each row, as when nothing is trained.
 */
async function others({ encoder, loss, variables, adapt }: GraphOptions, fed: Values, held: Values) {
  if (adapt === 'queries') return fed[inputName(encoder)]!
  if (loss.momentum === undefined) return undefined
  const names = Object.keys(variables)
  const slow = Object.fromEntries(names.map((name) => [name, held[SLOW + name] ?? held[name]!]))
  const { embedding } = await encoder.build(fed, slow, 'infer')
  return embedding.detach()
}

/** The embeddings alone, as training computes them. */
export async function embedding(options: GraphOptions, types: Types): Promise<Graph> {
  const encoded = await encode(options, types)
  return { outputs: { [EMBEDDING]: encoded.embedding }, masks: encoded.masks }
}

/** The loss of embeddings that are fed, and its gradient with respect to them and to the loss's own parameters. */
export function lossAlone(options: GraphOptions, type: TensorType): Graph {
  const embeddings = input(EMBEDDING, type.dtype, type.shape)
  const held = toInputs(lossVariables(options))
  const raw =
    options.adapt === 'queries' ? input(BATCH + inputName(options.encoder), type.dtype, type.shape) : undefined
  const { value, outputs, shown, drawn } = lossOf(options, embeddings, held, raw)
  const trained = Object.fromEntries(Object.entries(held).filter(([name]) => variablesOf(options)[name]!.trained))
  const [gradient, ...slopes] = differentiate(value, [embeddings, ...Object.values(trained)])
  return {
    outputs: {
      ...outputs,
      ...shown(gradient!),
      ...added(named(trained, slopes)),
      [GRADIENT + EMBEDDING]: gradient!,
    },
    masks: [],
    drawn,
  }
}

/** From the gradient of the embeddings to those of the encoder's parameters, added to those that are held. */
export async function pullback(options: GraphOptions, types: Types): Promise<Graph> {
  const { embedding: output, state, masks, held } = await encode(options, types)
  const trained = Object.fromEntries(trainedNames(options.variables).map((name) => [name, held[name]!]))
  const upstream = input(GRADIENT + EMBEDDING, output.dtype, output.shape)
  const slopes = differentiate(output, Object.values(trained), upstream)
  return { outputs: { ...next(state), ...added(named(trained, slopes)) }, masks }
}

/** The optimiser's update by the held gradients over how many batches they were added up. */
export function update(options: GraphOptions): Graph {
  const held = toInputs(variablesOf(options))
  const trained = trainedOf(options, held)
  const count = input(BATCHES, 'float32', [])
  const mean = Object.entries(trained).map(([name, { shape }]) => input(GRADIENT + name, 'float32', shape).div(count))
  return { outputs: updated(options, named(trained, mean), trained, held), masks: [] }
}

/** What the optimiser holds, by the names that steps hold it under. */
export function optimizerTypes(options: GraphOptions): Types {
  const variables = variablesOf(options)
  const shapes = options.optimizer.state(
    Object.fromEntries(trainedNames(variables).map((name) => [name, variables[name]!.shape])),
  )
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [OPTIMIZER + name, { dtype: 'float32', shape } as const]),
  )
}

export function trainedNames(variables: Variables): string[] {
  return Object.keys(variables).filter((name) => variables[name]!.trained)
}

/** All that is carried from step to step but the optimiser's state: the encoder's variables, the loss's, the slow encoder's. */
export function variablesOf(options: GraphOptions): Variables {
  const { loss, variables } = options
  const slow =
    loss.momentum === undefined
      ? []
      : trainedNames(variables).map((name) => [SLOW + name, { ...variables[name]!, trained: false }] as const)
  return { ...variables, ...lossVariables(options), ...Object.fromEntries(slow) }
}

function lossVariables({ loss, encoder, classes = 0, seed = 0 }: GraphOptions): Variables {
  const own = loss.variables?.({ dimension: encoder.dimension, classes, seed }) ?? {}
  return Object.fromEntries(Object.entries(own).map(([name, variable]) => [OWN + name, variable]))
}

async function encode(options: GraphOptions, types: Types) {
  const { encoder, augmentation } = options
  const given = Object.fromEntries(
    Object.entries(types).map(([name, { dtype, shape }]) => [name, input(BATCH + name, dtype, shape)]),
  )
  const held = toInputs(variablesOf(options))
  const fed = takesImages(encoder) ? images(given, augmentation) : given
  const encoded = await encoder.build(fed, held, 'train')
  return { ...encoded, masks: encoded.masks ?? [], held, fed }
}

function images({ pixels }: Values, augmentation: Augmentation | undefined): Values {
  const rows = pixels!.shape[0]!
  const values = pixels!.cast('float32')
  return {
    pixels: augmentation
      ? augmentation.build(values, input(`${BATCH}drawn`, 'float32', [rows, augmentation.numbers]))
      : values,
  }
}

/** The loss of a batch, what is shown of it, and what can be shown once its gradient is known. */
function lossOf(options: GraphOptions, embeddings: Value, held: Values, compared?: Value) {
  const { loss, watch = true } = options
  const rows = embeddings.shape[0]!
  const random = randomInputs(BATCH)
  const examples = examplesOf({ ...options, random, prefix: BATCH }, embeddings, compared)
  const built = loss.build(examples, withoutPrefix(OWN, held))
  return {
    value: built.value,
    outputs: {
      [LOSS]: built.value,
      [SAMPLE]: embeddings.slice(0, 0, rows, Math.max(1, Math.floor(rows / SAMPLED))),
      ...next(prefixed(OWN, built.state ?? {})),
    },
    shown: (gradient: Value) => prefixed(STATISTIC, watch ? batchStatistics(examples, loss, built, gradient) : {}),
    drawn: random.values,
  }
}

function updated(options: GraphOptions, gradients: Values, parameters: Values, held: Values): Values {
  const { optimizer, loss, variables } = options
  const own = withoutPrefix(OPTIMIZER, toInputs(optimizerTypes(options)))
  const after = optimizer.update(gradients, own, parameters, input(RATE, 'float32', []))
  const { momentum } = loss
  const slow =
    momentum === undefined
      ? []
      : trainedNames(variables).map((name) => {
          return [SLOW + name, held[SLOW + name]!.mul(momentum).add(after.parameters[name]!.mul(1 - momentum))] as const
        })
  return next({ ...after.parameters, ...prefixed(OPTIMIZER, after.state), ...Object.fromEntries(slow) })
}

function added(gradients: Values): Values {
  const sums = Object.entries(gradients).map(([name, slope]) => {
    return [GRADIENT + name, input(GRADIENT + name, slope.dtype, slope.shape).add(slope)] as const
  })
  return next(Object.fromEntries(sums))
}

function trainedOf(options: GraphOptions, held: Values): Values {
  return Object.fromEntries(trainedNames(variablesOf(options)).map((name) => [name, held[name]!]))
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

/** Those with the prefix, without it. */
function withoutPrefix(prefix: string, values: Values): Values {
  const own = Object.entries(values).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]))
}
