/** What happens in training, in its order. */
import type { AnyEvaluation } from './best.ts'
import type { StepRecord } from './options.ts'

export type TrainingEvent =
  /** Training begins, or goes on after so many steps that were done before; so many there will be in all. */
  | { readonly kind: 'begin'; readonly steps: number; readonly done: number }
  /** A step was done. */
  | { readonly kind: 'step'; readonly record: StepRecord }
  /** The held-out examples were evaluated after a step; `isBest` if never better before. */
  | {
      readonly kind: 'evaluation'
      readonly step: number
      readonly evaluation: AnyEvaluation
      readonly isBest: boolean
    }
  /** What was learnt up to a step is on disk. */
  | { readonly kind: 'checkpoint'; readonly step: number }
