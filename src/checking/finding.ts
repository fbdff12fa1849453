/** What a check finds. */
import type { Sample } from './sample.ts'

/** Names of mistakes, for programs. */
export type ProblemName =
  | 'similarity-for-distance'
  | 'positive-pushed'
  | 'negative-pulled'
  | 'positive-ignored'
  | 'negative-ignored'
  | 'never-compared'
  | 'no-hinge'
  | 'pushed-without-end'
  | 'reversed-hinge'
  | 'dead-hinge'
  | 'margin-unreachable'
  | 'margin-without-effect'
  | 'reduced-before-hinge'
  | 'depends-on-order'
  | 'not-finite'
  | 'constant'

export type TraitName =
  | 'signs'
  | 'smoothness'
  | 'satisfaction'
  | 'scale'
  | 'start'
  | 'margin'
  | 'attention'
  | 'collapsed'
  | 'perfect'

/** A triplet as evidence: its distances in the loss's metric, the loss, and its gradient by those distances. */
export interface Evidence {
  readonly distances: { readonly ap: number; readonly an: number; readonly pn?: number }
  readonly value: number
  /** By d(a, p), and by the distances to the negative together. Left out where there is none to show. */
  readonly gradient?: { readonly ap: number; readonly an: number }
}

export interface Trait {
  readonly name: TraitName
  readonly title: string
  readonly detail: string
  readonly evidence: readonly Evidence[]
}

export interface Problem extends Omit<Trait, 'name'> {
  readonly name: ProblemName
  /** What to write in its place. */
  readonly instead: string
}

export function evidence({ ap, an, value, pull, push }: Sample): Evidence {
  // Zero without a sign.
  return { distances: { ap, an }, value, gradient: { ap: pull + 0, an: 0 - push } }
}

/** A number as prose has it: three digits, no more than it needs. */
export function show(x: number): string {
  const rounded = Number(x.toPrecision(3))
  return (Math.abs(rounded) < 5e-4 ? '0' : String(rounded)).replace('-', '−')
}
