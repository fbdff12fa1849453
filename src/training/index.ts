/** Training: from images and a loss to a model. */
export type { Rows } from './arrays.ts'
export { type CheckpointOptions, hasCheckpoint } from './checkpoint.ts'
export type { OnCollapse } from './collapse.ts'
export { DivergedError } from './diverged.ts'
export type { StepRecord, TrainOptions } from './options.ts'
export { type Batch, createStep, type Step, type StepOptions, type StepResult } from './step.ts'
export { train } from './train.ts'
export { type Gradient, type LabelledRows, type TupleRows, valueAndGradient } from './value-and-gradient.ts'
