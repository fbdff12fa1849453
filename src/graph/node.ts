/** What values are made of: the operations of a graph, and where a value comes from. */
import type { Tensor } from '../tensor.ts'
import type { Attributes } from './operators/operator.ts'
import type { Value } from './value.ts'

/** A value, or a number that takes the type of its partner. */
export type Operand = Value | number

/** One operation. Nodes are numbered as they are made, so a node's number is above those of all that it needs. */
export interface Node {
  readonly number: number
  readonly operator: string
  readonly inputs: readonly (Value | undefined)[]
  readonly attributes: Attributes
  readonly outputs: readonly Value[]
  /** Stands in for the operator's gradient rule: the values that the gradient flows to, and how. */
  readonly custom?: CustomGradient | undefined
}

export interface CustomGradient {
  readonly inputs: readonly Value[]
  readonly rule: (upstream: Value) => readonly Value[]
}

export type Source =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly tensor: Tensor }
  | { readonly kind: 'node'; readonly node: Node }
