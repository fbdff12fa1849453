/** Inputs of a graph by the names and types of what will be fed. */
import type { TensorType } from '../tensor.ts'
import { input, type Value } from './value.ts'

export function toInputs(types: Readonly<Record<string, TensorType>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(types).map(([name, { dtype, shape }]) => [name, input(name, dtype, shape)]))
}
