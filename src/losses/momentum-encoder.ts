/** Comparing a batch with what a slow encoder makes of it. */
import { UsageError } from '../errors.ts'
import type { Loss } from './loss.ts'

export interface MomentumEncoderOptions {
  /** m, the share of its parameters that the slow encoder keeps at each step, from 0 to less than 1; 0.999 if left out. */
  readonly momentum?: number
}

/**
 * A momentum encoder: the examples that a batch is compared with are embedded by an encoder whose parameters follow those that
 * are trained, θ′ ← m θ′ + (1 − m) θ, and through which no gradient flows. With two views and a memory it is MoCo:
 * `momentumEncoder(selfSupervised(crossBatchMemory(ntxent(), { size })))`.
 *
 * He, Fan, Wu, Xie, Girshick, "Momentum Contrast for Unsupervised Visual Representation Learning", 2020, eq. 2.
 *
 * @throws UsageError if the momentum is out of range.
 */
export function momentumEncoder(loss: Loss, { momentum = 0.999 }: MomentumEncoderOptions = {}): Loss {
  if (!(momentum >= 0 && momentum < 1)) {
    throw new UsageError(`The momentum is ${momentum}; expected from 0 to less than 1. 0.99 to 0.999 is usual.`)
  }
  return {
    ...loss,
    settings: { ...loss.settings, encoderMomentum: momentum },
    momentum,
    ...(loss.withMining && { withMining: (mining) => momentumEncoder(loss.withMining!(mining), { momentum }) }),
  }
}
