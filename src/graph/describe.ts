/** How values are called in messages. */
import { describe } from '../tensor.ts'
import type { Value } from './value.ts'

/** `weight float32 [2, 3]` for what is fed, `Relu's float32 [2, 3]` for what a node computes. */
export function describeValue(value: Value | undefined): string {
  return value ? `${ownerOf(value)}${describe(value)}` : 'nothing'
}

function ownerOf({ source }: Value): string {
  if (source.kind === 'input') return `${source.name} `
  return source.kind === 'node' ? `${source.node.operator}'s ` : 'constant '
}
