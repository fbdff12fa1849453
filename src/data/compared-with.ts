/** Queries and what they are compared with, as one source. */
import { createHash } from 'node:crypto'
import { typeOfRows } from '../inputs/input.ts'
import { allocate } from '../tensor.ts'
import { numbered } from './numbered.ts'
import { inside, labelsOf, type Source } from './source.ts'

/**
 * A source that says itself which of its rows are queries, which come first, and which the gallery. Classes and groups of one
 * name are the same in both.
 */
export function comparedWith(queries: Source, gallery: Source): Source {
  const both = [queries, gallery]
  const length = queries.length + gallery.length
  const labels = numbered(both.flatMap(labelsOf), length)
  const groups = numbered(both.flatMap(groupsOf), length)
  return {
    input: queries.input,
    length,
    item: (row) => (inside(row, length) < queries.length ? queries.item(row) : gallery.item(row - queries.length)),
    classes: labels.names,
    labels: labels.numbers,
    ...(groups.names.length > 0 && { groups: groups.numbers, groupNames: groups.names }),
    ...(both.some(({ boxes }) => boxes) && {
      boxes: both.flatMap((each) => Array.from({ length: each.length }, (_, row) => each.boxes?.[row])),
    }),
    gallery: Uint8Array.from({ length }, (_, row) => Number(row >= queries.length)),
    fingerprint: createHash('sha256').update(`${queries.fingerprint} ${gallery.fingerprint}`).digest('hex'),
    async read(rows, signal) {
      const wanted = Array.from(rows, (row) => inside(row, length))
      const type = typeOfRows(queries.input, wanted.length)
      const data = allocate(type) as Uint8Array
      const width = data.length / wanted.length
      for (const [source, first] of [[queries, 0] as const, [gallery, queries.length] as const]) {
        const places = wanted.flatMap((row, i) => (row >= first && row < first + source.length ? [i] : []))
        const part = await source.read(
          places.map((i) => wanted[i]! - first),
          signal,
        )
        for (const [k, i] of places.entries()) {
          data.set(part.data.subarray(k * width, (k + 1) * width) as Uint8Array, i * width)
        }
      }
      return { ...type, data }
    },
  }
}

function groupsOf({ groups, groupNames, length }: Source): (string | null)[] {
  return Array.from({ length }, (_, row) => groupNames?.[groups?.[row] ?? -1] ?? null)
}
