/** What is left of a training run whose numbers were no longer finite. */
import { RuntimeError } from '../errors.ts'
import type { Model } from '../model/model.ts'

/** Training stopped because the loss or its gradient was not finite. */
export class DivergedError extends RuntimeError {
  override readonly name = 'DivergedError'
  /** A model of the last parameters that were finite; the message says of when they are. */
  readonly model: Model

  constructor(message: string, model: Model) {
    super(message)
    this.model = model
  }
}
