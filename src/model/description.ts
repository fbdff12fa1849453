/** `isometry.json`: what a model directory says of itself. */
import { DataError } from '../errors.ts'
import type { Calibration, Evaluation, TupleEvaluation } from '../evaluation/index.ts'
import { describeInput, type Input } from '../inputs/input.ts'

export const FORMAT_VERSION = 1

type Settings = Readonly<Record<string, unknown>>

export interface Description {
  readonly formatVersion: number
  /** The name of the metric that the encoder was trained in: one of ours, or what `metric.onnx` holds. */
  readonly metric: string
  /** d, the length of an embedding. */
  readonly dimension: number
  /** What an example has to become before `encoder.onnx` takes it, an image's resize rule among it. */
  readonly input: Input
  readonly encoder: Settings
  /** `queries` where only they go through the encoder, and a gallery is compared with as it is; left out where all do. */
  readonly adapt?: 'queries'
  readonly loss: Settings
  /** What training never saw; and what it was compared with, if that was not each other. */
  readonly heldOut: Items & { readonly gallery?: Items }
  readonly training: TrainingSummary
  /** The distance up to which two examples are the same; left out until `calibrate` has found it. */
  readonly calibration?: Calibration
}

/** Examples by their names, in their order. */
export interface Items {
  readonly classes: readonly string[]
  /** The paths of images. */
  readonly items: readonly string[]
  /** Of each its class as an index into them; -1 is none. */
  readonly labels?: readonly number[]
  /** The part of its image that each is, [x, y, width, height] in pixels; null for all of it. Left out where all are whole. */
  readonly boxes?: readonly (readonly [number, number, number, number] | null)[]
  /** The group of each, which is not compared with itself; null is none. Left out where there are none. */
  readonly groups?: readonly (string | null)[]
  /** 1 for what is searched, 0 for queries; left out where each is both. */
  readonly roles?: readonly number[]
}

export interface TrainingSummary {
  readonly steps: number
  readonly seconds: number
  /** The share of that time in which steps waited for data. */
  readonly waiting?: number
  /** The best evaluation during training: after which step, its measure, and whether its parameters are the model. */
  readonly best?: { readonly step: number; readonly value: number; readonly kept: boolean }
  /** The mean loss of the last steps, a tenth of them. */
  readonly loss: number
  readonly settings: Settings
  /** Identifies the data that was trained on. */
  readonly fingerprint: string
  /** How the held-out classes were told apart by the untrained encoder and by the trained one. */
  readonly validation?: { readonly before: Evaluation; readonly after: Evaluation }
  /** How the distances of the untrained encoder and of the trained one agreed with the held-out tuples. */
  readonly tuples?: { readonly before: TupleEvaluation; readonly after: TupleEvaluation }
}

/** @throws DataError if the text is not the description of a model that this version reads. */
export function parseDescription(text: string, file: string): Description {
  let found: Partial<Description>
  try {
    found = JSON.parse(text) as Partial<Description>
  } catch (error) {
    throw new DataError(
      `${file} is not JSON: ${(error as Error).message}. Expected a model that \`isometry train\` wrote.`,
    )
  }
  const version = found?.formatVersion
  if (typeof version !== 'number') {
    throw new DataError(`${file} has no formatVersion. Expected a model that \`isometry train\` wrote.`)
  }
  if (version > FORMAT_VERSION) {
    throw new DataError(
      `${file} has the format version ${version}; this Isometry reads up to ${FORMAT_VERSION}. Update Isometry, or train the model again.`,
    )
  }
  if (typeof found.metric !== 'string' || !isInput(found.input) || !found.training || !found.heldOut) {
    throw new DataError(
      `${file} names the metric ${found.metric} and the input ${JSON.stringify(found.input)}; expected the name of a metric and an input of images or vectors, with training and heldOut beside them.`,
    )
  }
  const { adapt, input, dimension } = found
  if (adapt !== undefined && (adapt !== 'queries' || input?.kind !== 'vector' || input.dimension !== dimension)) {
    throw new DataError(
      `${file} adapts ${JSON.stringify(adapt)} of ${describeInput(input!)} to ${dimension}; expected "queries", of vectors of as many numbers as an embedding has.`,
    )
  }
  const { calibration } = found
  const { threshold, falsePositiveRate: rate = 0 } = calibration ?? ({} as Partial<Calibration>)
  if (calibration !== undefined && !(Number.isFinite(threshold) && rate > 0 && rate < 1)) {
    throw new DataError(
      `${file} is calibrated to ${JSON.stringify(calibration)}; expected a threshold and a falsePositiveRate between 0 and 1. Calibrate the model again.`,
    )
  }
  return found as Description
}

function isInput(input: Input | undefined): boolean {
  const isExtent = (extent: number) => Number.isInteger(extent) && extent > 0
  if (input?.kind === 'vector') return isExtent(input.dimension)
  return (
    input?.kind === 'image' && input.resize === 'stretch' && [input.channels, input.height, input.width].every(isExtent)
  )
}
