/** Vectors in memory as examples: somebody else's embeddings, or features. */
import { createHash } from 'node:crypto'
import { DataError, UsageError } from '../errors.ts'
import { typeOfRows } from '../inputs/input.ts'
import type { VectorInput } from '../inputs/vector.ts'
import { allocate } from '../tensor.ts'
import { type Numbered, numbered } from './numbered.ts'
import { inside, type Source } from './source.ts'

export interface VectorsOptions {
  /** d, the numbers of a vector. */
  readonly dimension: number
  /** [n]: the class of each vector; null has none. None has one if left out. */
  readonly labels?: ArrayLike<string | number | null> | undefined
  /** [n]: what each is known by; `row 0`, `row 1`, … if left out. */
  readonly names?: readonly string[] | undefined
  /** [n]: what is not compared with each other when it is evaluated, such as a camera or a document; null is of none. */
  readonly groups?: ArrayLike<string | number | null> | undefined
}

/**
 * Vectors [n, d], row-major, as they lie in memory: nothing of them is copied, so they must not change afterwards. Of labels
 * and groups a number each is held, and of names nothing if they are left out.
 *
 * @throws DataError if the length is no multiple of the dimension, labels, names or groups are not one for each vector, or
 *   a vector holds what is not finite, by its row; UsageError if the dimension is not a whole number of at least 1.
 */
export function vectors(data: Float32Array, options: VectorsOptions): Source<VectorInput> {
  const { dimension, labels = [], names, groups = [] } = options
  if (!Number.isInteger(dimension) || dimension < 1) {
    throw new UsageError(`The dimension of vectors is ${dimension}; expected a whole number of at least 1.`)
  }
  const length = data.length / dimension
  if (!Number.isInteger(length)) {
    throw new DataError(
      `${data.length} numbers are no vectors of ${dimension}: ${data.length % dimension} are left over.`,
    )
  }
  for (const what of ['labels', 'names', 'groups'] as const) {
    const found = options[what]?.length ?? length
    if (found !== length)
      throw new DataError(`There are ${found} ${what} for ${length} vectors; expected one for each.`)
  }
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue
    throw new DataError(
      `Row ${Math.floor(i / dimension)} of the vectors holds ${data[i]}; expected finite numbers. Leave the row out, or mend it.`,
    )
  }

  const input = { kind: 'vector', dimension } as const
  const ofLabels = numbered(labels, length)
  const ofGroups = options.groups && numbered(groups, length)
  let fingerprint: string | undefined
  return {
    input,
    length,
    item: (row) => names?.[inside(row, length)] ?? `row ${inside(row, length)}`,
    classes: ofLabels.names,
    labels: ofLabels.numbers,
    groups: ofGroups?.numbers,
    groupNames: ofGroups?.names,
    get fingerprint() {
      fingerprint ??= fingerprintOf(data, dimension, [ofLabels, ...(ofGroups ? [ofGroups] : [])], names)
      return fingerprint
    },
    async read(rows) {
      const type = typeOfRows(input, rows.length)
      const picked = allocate(type) as Float32Array
      for (let i = 0; i < rows.length; i++) {
        const start = inside(rows[i]!, length) * dimension
        picked.set(data.subarray(start, start + dimension), i * dimension)
      }
      return { ...type, data: picked }
    },
  }
}

function fingerprintOf(
  data: Float32Array,
  dimension: number,
  columns: readonly Numbered[],
  names: readonly string[] | undefined,
): string {
  const hash = createHash('sha256').update(`vectors of ${dimension}`)
  for (const column of columns) hash.update(`\0${JSON.stringify(column.names)}\0`).update(bytesOf(column.numbers))
  for (const name of names ?? []) hash.update(`${name}\0`)
  return hash.update(bytesOf(data)).digest('hex')
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
