/** The encoder that `isometry train` is told to train: one of ours, or a file. */

import type { Pooling } from '../encoders/imported/pool.ts'
import { convolutional, type Encoder, linear, mlp, type Pixels, takesImages } from '../encoders/index.ts'
import { UsageError } from '../errors.ts'
import type { VectorInput } from '../inputs/index.ts'
import { readEncoder } from '../model/index.ts'
import { grouped, type Optimizer } from '../optimizers/index.ts'

export interface EncoderArguments {
  /** `convolutional` (if left out), `mlp`, or the path of an ONNX file; of vectors, `linear` (if left out) or `mlp`. */
  readonly encoder?: string
  readonly residual?: boolean
  readonly adapt?: 'all' | 'queries'
  readonly dimension?: number
  readonly imageSize?: number
  readonly grayscale?: boolean
  readonly augment?: boolean
  readonly augmentations?: readonly string[]
  readonly output?: string
  readonly pool?: Pooling
  readonly head?: 'linear' | 'mlp'
  readonly freeze?: readonly RegExp[]
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
  readonly backboneRate?: number
  readonly threads?: number
}

const DIMENSION = 64
const IMAGE_SIZE = 28
/** What only a file takes. */
const ofFiles = ['output', 'pool', 'head', 'freeze', 'mean', 'std', 'backboneRate'] as const
const ofImages = ['imageSize', 'grayscale', 'augment', 'augmentations'] as const
const ofVectors = ['residual', 'adapt'] as const

/** @throws UsageError if settings do not go with the encoder; DataError if the file cannot be trained. */
export async function encoderOf(options: EncoderArguments): Promise<Encoder<Pixels>> {
  const { encoder: name = 'convolutional', dimension = DIMENSION, imageSize = IMAGE_SIZE, grayscale } = options
  refuse(options, ofVectors, 'adapters of vectors')
  if (/\.onnx$/i.test(name)) return encoderFromFile(name, options)
  const own = { convolutional, mlp }[name]
  if (!own) {
    throw new UsageError(
      `The encoder ${name} is not known${name === 'linear' ? ' for images' : ''}. Expected convolutional, mlp or a file that ends in .onnx.`,
    )
  }
  refuse(options, ofFiles, 'encoders from ONNX files')
  return own({ input: { channels: grayscale ? 1 : 3, height: imageSize, width: imageSize }, dimension })
}

/** @throws UsageError if settings do not go with an adapter of vectors. */
export function adapterOf(options: EncoderArguments, input: VectorInput): Encoder {
  const { encoder: name = 'linear', dimension, residual } = options
  const own = { linear, mlp }[name]
  if (!own) throw new UsageError(`The encoder ${name} takes no vectors. Expected linear or mlp.`)
  refuse(options, ofFiles, 'encoders from ONNX files')
  refuse(options, ofImages, 'images')
  return own({ input, dimension, residual })
}

function refuse(options: EncoderArguments, names: readonly (keyof EncoderArguments)[], owner: string): void {
  const foreign = names.find((each) => options[each] !== undefined)
  if (foreign) throw new UsageError(`${flag(foreign)} belongs to ${owner}. Leave it out.`)
}

async function encoderFromFile(path: string, options: EncoderArguments): Promise<Encoder<Pixels>> {
  const { head, dimension, imageSize, grayscale, ...rest } = options
  if (dimension !== undefined && !head) {
    throw new UsageError('--dimension is the length that a head gives. Add --head linear, or leave --dimension out.')
  }
  const encoder = await readEncoder(path, {
    ...rest,
    ...(head && { head: { kind: head, dimension: dimension ?? DIMENSION } }),
    ...(imageSize !== undefined && { height: imageSize, width: imageSize }),
  }).catch((error: unknown) => {
    throw error instanceof UsageError ? inFlags(error) : error
  })
  if (!takesImages(encoder)) {
    const names = 'tensors' in encoder.input ? encoder.input.tensors.map((each) => each.name) : []
    throw new UsageError(
      `${path} takes ${names.join(', ')}, not images [n, 1 or 3, height, width]. Train it in TypeScript with readEncoder.`,
    )
  }
  if (grayscale && encoder.input.channels !== 1) {
    throw new UsageError(`${path} takes images of ${encoder.input.channels} channels. Leave --grayscale out.`)
  }
  return encoder
}

/** An error that asks for an option of the library, asking for the flag. */
export function inFlags(error: UsageError): UsageError {
  const message = error.message.replace(/State it: \{ (height|width): .*/, 'State it with --image-size.')
  return new UsageError(message, { cause: error })
}

/** The optimiser, with the file's own weights at a share of the learning rate if one is given. */
export function withBackboneRate(optimizer: Optimizer, { backboneRate, head }: EncoderArguments): Optimizer {
  if (backboneRate === undefined) return optimizer
  if (!head) throw new UsageError('--backbone-rate slows the file’s own weights beside a head. Add --head linear.')
  return grouped([{ match: /^(?!(added\.)*head\.)/, optimizer, rate: backboneRate }], optimizer)
}

function flag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
