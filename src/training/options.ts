/** What training can be told, and what it tells. */

import type { Augmentation } from '../data/augmentations/augmentation.ts'
import type { DrawOptions, Source, Tuples } from '../data/index.ts'
import type { Encoder } from '../encoders/encoder.ts'
import type { Loss } from '../losses/loss.ts'
import type { Optimizer } from '../optimizers/optimizer.ts'
import type { Schedule } from '../optimizers/schedules.ts'
import type { ComputeOptions, Device } from '../runtime/session.ts'
import type { AnyEvaluation } from './best.ts'
import type { CheckpointOptions } from './checkpoint.ts'
import type { OnCollapse } from './collapse.ts'
import type { Adapt } from './graphs.ts'

export interface TrainOptions {
  /** For examples of the form of the source's `input`. */
  readonly encoder: Encoder
  /** `cosineMarginTriplet()` if left out. Its metric becomes the model's. */
  readonly loss?: Loss
  /** `adam()` if left out. */
  readonly optimizer?: Optimizer
  /** Examples of classes, or tuples, that training does not see: evaluated before and after, and named in the model as held out. */
  readonly validation?: Source | Tuples | undefined
  /** What the validation examples are compared with, as the examples of their classes that are trained on; with each other if left out. */
  readonly validationGallery?: Source | undefined
  /**
   * What is adapted, of vectors: `all`, or `queries` alone. Then a gallery's vectors stay as they are, training compares
   * embeddings with them, and evaluation and search ask with embeddings and answer with the vectors themselves. `all` if left
   * out.
   */
  readonly adapt?: Adapt | undefined
  readonly augmentation?: Augmentation | undefined
  /** How many classes a batch has; 32 if left out. */
  readonly classesPerBatch?: number
  /** How many examples of each class a batch has; 4 if left out. */
  readonly perClass?: number
  /** Which classes come up how often and together; all alike if left out. */
  readonly sampling?: DrawOptions | undefined
  /** How many tuples a batch has, where tuples are trained on; 64 if left out. */
  readonly tuplesPerBatch?: number
  /** 1,000 if left out. */
  readonly steps?: number
  /** In place of `steps`: so often as many examples, or tuples, are drawn as there are. */
  readonly epochs?: number | undefined
  /** How many batches make up one step, whose update follows the mean of their gradients; 1 if left out. */
  readonly accumulate?: number
  /**
   * No more examples than this go through the encoder at once, so that a batch can be larger than memory would allow; the
   * loss still compares all of it. The whole batch if left out.
   */
  readonly microBatch?: number | undefined
  /** 0.003 if left out. */
  readonly learningRate?: number
  /** What becomes of the learning rate over the run; `schedules.constant()` if left out. */
  readonly schedule?: Schedule
  /**
   * What to do when all embeddings become nearly the same point: `warn` and go on (if left out), `stop` with a RuntimeError,
   * or `recover`: go back to the last good parameters, with all triplets in place of mined ones, or half the learning rate
   * where nothing is mined, until the spread is back.
   */
  readonly onCollapse?: OnCollapse
  /** An integer. The same seed, threads and data give the same model on the same machine. 0 if left out. */
  readonly seed?: number
  /** One for each processor if left out. */
  readonly threads?: number | undefined
  /** Where to compute; `auto` takes the fastest there is. `cpu` if left out. */
  readonly device?: Device | 'auto' | undefined
  /** Is told which nodes another device than the CPU left to the CPU. */
  readonly onFallback?: ComputeOptions['onFallback']
  /** The validation data is evaluated every so many steps, too; before and after training alone if left out. */
  readonly evaluateEvery?: number | undefined
  /**
   * The figure that says which evaluation is the best, as `precisionAt1` or `recallAtK.4`; `meanAveragePrecisionAtR` if left
   * out, and of tuples the share in order, precision@1 or Spearman's correlation.
   */
  readonly measure?: string | undefined
  /** Training ends once so many evaluations in a row brought nothing better; it goes on to its last step if left out. */
  readonly patience?: number | undefined
  /** Which parameters become the model: those of the best evaluation, where `evaluateEvery` is given, or the `last`. */
  readonly keep?: 'best' | 'last' | undefined
  /** Keeps checkpoints on disk, to go on from where training was stopped; none if left out. */
  readonly checkpoint?: CheckpointOptions | undefined
  /** Called after each step. */
  readonly onStep?: ((record: StepRecord) => void) | undefined
  /** Is told of settings that do not fit the data and are adjusted; `console.warn` if left out. */
  readonly warn?: (message: string) => void
  /** Stops training after the step that is running, with an InterruptedError. */
  readonly signal?: AbortSignal | undefined
}

/** One line of a model's history. Distances are means over the batch, in the loss's metric. */
export interface StepRecord {
  /** From 1. */
  readonly step: number
  readonly loss: number
  /** The share of the selected triplets whose term is above zero; for losses over triplets. */
  readonly activeTriplets?: number
  /** The distance of two embeddings, of whatever classes. */
  readonly spread: number
  readonly positiveDistance: number
  readonly negativeDistance: number
  /** The norm of the loss's gradient with respect to the embeddings. */
  readonly gradientNorm: number
  /** How many directions up to 64 embeddings of the batch really use, by the entropy of their singular values. Every 100 steps. */
  readonly effectiveRank?: number
  /** Of the validation data after this step, where it was evaluated. */
  readonly evaluation?: AnyEvaluation
  /** Only where something happened. */
  readonly event?: 'collapsed' | 'wentBack' | 'recovered'
}
