/** What a check looks at: the distances of a triplet, the loss there, and which way it goes. */

/** In the loss's metric. */
export interface Distances {
  readonly ap: number
  readonly an: number
  readonly pn: number
}

export interface Sample extends Distances {
  readonly value: number
  /** ∂L/∂d(a, p): above 0 where lowering the loss pulls the positive. */
  readonly pull: number
  /** −∂L/∂ of the distances to the negative: above 0 where lowering the loss pushes it away. */
  readonly push: number
}

export function allFinite({ value, pull, push }: Sample): boolean {
  return [value, pull, push].every(Number.isFinite)
}

/** How much a sample's loss wants to move anything. */
export function slope({ pull, push }: Sample): number {
  return Math.max(Math.abs(pull), Math.abs(push))
}
