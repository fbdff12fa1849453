/** What cannot be trained, said before anything is computed. */
import type { Source, Tuples } from '../data/index.ts'
import type { Encoder } from '../encoders/encoder.ts'
import { UsageError } from '../errors.ts'
import { toInputs } from '../graph/inputs.ts'
import { input } from '../graph/value.ts'
import { describeInput, type Input } from '../inputs/index.ts'
import type { Loss } from '../losses/loss.ts'
import { randomInputs } from '../mining/random-inputs.ts'
import { examplesOf, kindOf, partsOf } from './examples.ts'
import type { TrainOptions } from './options.ts'

/** @throws UsageError if the data, the encoder, the loss and the settings do not go together. */
export function check(data: Source | Tuples, options: TrainOptions & { readonly loss: Loss }): void {
  const { encoder, loss, augmentation, learningRate, steps, accumulate, microBatch } = options
  if (loss.views && !augmentation && !('examples' in data)) {
    throw new UsageError(
      `The loss ${loss.name} compares ${loss.views} views of each image, which are the same without an augmentation. Give one, as affine().`,
    )
  }
  if (augmentation && data.input.kind !== 'image') {
    throw new UsageError(`The augmentation ${augmentation.name} changes images, found ${describeInput(data.input)}.`)
  }
  if (!takes(encoder, data.input)) {
    throw new UsageError(
      `The encoder takes ${described(encoder)}, the data has ${describeInput(data.input)}. Make the encoder with the data's \`input\`.`,
    )
  }
  const { validation, evaluateEvery, patience, measure, keep, epochs } = options
  if (!validation && evaluateEvery !== undefined) {
    throw new UsageError('evaluateEvery needs data to evaluate on. Give `validation`, or leave it out.')
  }
  const asked = Object.entries({ patience, measure, keep: keep === 'best' ? keep : undefined })
  const idle = asked.find(([, value]) => value !== undefined)
  if (idle && evaluateEvery === undefined) {
    throw new UsageError(`${idle[0]} goes by evaluations during training. Give evaluateEvery, or leave it out.`)
  }
  if (epochs !== undefined && !(epochs > 0 && Number.isFinite(epochs))) {
    throw new UsageError(`epochs is ${epochs}; expected a number above 0.`)
  }
  if (validation && describeInput(validation.input) !== describeInput(data.input)) {
    throw new UsageError(
      `The data to train on has ${describeInput(data.input)}, that to evaluate on ${describeInput(validation.input)}. Give both one form.`,
    )
  }
  for (const [name, value] of Object.entries({ steps, accumulate, microBatch, evaluateEvery, patience })) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue
    throw new UsageError(`${name} is ${value}; expected a whole number of at least 1.`)
  }
  if (!(learningRate! > 0) || !Number.isFinite(learningRate)) {
    throw new UsageError(`A learning rate must be above 0, found ${learningRate}.`)
  }
  checkAdapt(data.input, options)
  checkLoss(data, options)
}

/** Queries that are to be compared with the vectors themselves have to be as long as they are. */
function checkAdapt(form: Input, { adapt = 'all', encoder, loss }: TrainOptions): void {
  if (adapt === 'all') return
  if (adapt !== 'queries') throw new UsageError(`adapt is ${adapt}; expected all or queries.`)
  if (form.kind !== 'vector') {
    throw new UsageError(
      `Only vectors can be adapted on the side of queries alone, found ${describeInput(form)}: a gallery of images has to be embedded by something.`,
    )
  }
  if (encoder.dimension !== form.dimension) {
    throw new UsageError(
      `Adapted queries of ${encoder.dimension} numbers cannot be compared with ${describeInput(form)}. Make the encoder's dimension ${form.dimension}.`,
    )
  }
  if (loss?.momentum !== undefined) {
    throw new UsageError('A slow encoder and `adapt: queries` both say what a batch is compared with. Leave one out.')
  }
}

/** A small batch is built of the loss: it says itself what it takes. */
function checkLoss(data: Source | Tuples, { loss, encoder, adapt }: TrainOptions & { readonly loss: Loss }): void {
  const isTuples = 'examples' in data
  if (!isTuples && adapt !== 'queries') return
  if (isTuples && loss.momentum !== undefined) {
    throw new UsageError(
      `A slow encoder embeds what a labelled batch is compared with, found ${data.kind}. Leave the momentum encoder out for them.`,
    )
  }
  if (isTuples && loss.scores) checkScores(data, loss, loss.scores)
  const kind = kindOf(data)
  const rows = partsOf[kind] * SMALL
  const size = { dimension: encoder.dimension, classes: isTuples ? 0 : data.classes.length, seed: 0 }
  const embeddings = input('embeddings', 'float32', [rows, encoder.dimension])
  const others = adapt === 'queries' ? input('vectors', 'float32', [rows, encoder.dimension]) : undefined
  const options = { kind, largestClass: 2, random: randomInputs(''), prefix: '' } as const
  loss.build(examplesOf(options, embeddings, others), toInputs(loss.variables?.(size) ?? {}))
}

function checkScores(
  { score = new Float32Array() }: Tuples,
  { name }: Loss,
  [least, most]: readonly [number, number],
): void {
  const bad = score.findIndex((each) => each < least || each > most)
  if (bad < 0) return
  throw new UsageError(
    `The score of tuple ${bad} is ${score[bad]}; ${name} takes scores from ${least} to ${most}. Scale them, or use coSENT, which goes by their order.`,
  )
}

/** Rows of each part of such a batch. */
const SMALL = 4

function takes({ input }: Encoder, form: Input): boolean {
  if (!('tensors' in input)) {
    return (
      form.kind === 'image' && (['channels', 'height', 'width'] as const).every((name) => input[name] === form[name])
    )
  }
  const [only] = input.tensors
  const [, dimension] = only!.shape
  const isVector = input.tensors.length === 1 && only!.dtype === 'float32' && only!.shape.length === 2
  return isVector && form.kind === 'vector' && (typeof dimension === 'string' || dimension === form.dimension)
}

function described({ input }: Encoder): string {
  if (!('tensors' in input)) return describeInput({ kind: 'image', ...input })
  return input.tensors.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(', ')}]`).join(' and ')
}
