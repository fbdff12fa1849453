/** Putting gradients back where elements were picked from. Indices may repeat, so what lands on one place adds up. */
import { constant, type Value } from '../value.ts'

/** `into`, with line k of `updates` along `axis` added to the line with the index lines[k]. */
export function scatterLines(into: Value, lines: Value | readonly number[], updates: Value, axis: number): Value {
  const indices = Array.isArray(lines) ? constant('int64', [lines.length], lines) : (lines as Value)
  const column = indices.reshape(updates.shape.map((_, i) => (i === axis ? -1 : 1)))
  return into.scatterAdd(column.expand(updates.shape), updates, axis)
}
