/** What training can be told, and what it tells. */
import type { Augmentation } from '../data/augmentation.ts'
import type { Images } from '../data/index.ts'
import type { Encoder } from '../encoders/encoder.ts'
import type { Loss } from '../losses/loss.ts'
import type { Optimizer } from '../optimizers/optimizer.ts'

export interface TrainOptions {
  /** For images of the size of `images.input`. */
  readonly encoder: Encoder
  /** `cosineMarginTriplet()` if left out. Its metric becomes the model's. */
  readonly loss?: Loss
  /** `adam()` if left out. */
  readonly optimizer?: Optimizer
  /** Images of classes that training does not see: evaluated before and after, and named in the model as held out. */
  readonly validation?: Images | undefined
  readonly augmentation?: Augmentation | undefined
  /** How many classes a batch has; 32 if left out. */
  readonly classesPerBatch?: number
  /** How many examples of each class a batch has; 4 if left out. */
  readonly perClass?: number
  /** 1,000 if left out. */
  readonly steps?: number
  /** 0.001 if left out. */
  readonly learningRate?: number
  /** An integer. The same seed, threads and data give the same model on the same machine. 0 if left out. */
  readonly seed?: number
  /** One for each processor if left out. */
  readonly threads?: number | undefined
  /** Called after each step. */
  readonly onStep?: ((record: StepRecord) => void) | undefined
  /** Is told of settings that do not fit the data and are adjusted; `console.warn` if left out. */
  readonly warn?: (message: string) => void
  /** Stops training after the step that is running, with an InterruptedError. */
  readonly signal?: AbortSignal | undefined
}

/** One line of a model's history. */
export interface StepRecord {
  /** From 1. */
  readonly step: number
  readonly loss: number
  /** What the loss watches, such as the share of active triplets. */
  readonly [statistic: string]: number
}
