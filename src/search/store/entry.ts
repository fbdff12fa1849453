/** What an index knows of an item besides its vector. */
import type { Box } from '../../inputs/image.ts'

export type Scalar = string | number | boolean | null

export interface Entry {
  /** What it is called. */
  readonly item: string
  /** Its class; null if it has none. */
  readonly label: string | null
  /** Where its image lies, from the root. */
  readonly path?: string | undefined
  /** The part of the image that it is. */
  readonly box?: Box | undefined
  /** Other columns of the table that it came from. */
  readonly metadata?: Readonly<Record<string, Scalar>> | undefined
}

/** Two entries of equal keys are one item. */
export function keyOf({ item, path, box }: Entry): string {
  if (path === undefined) return item
  return box ? `${path} ${box.x} ${box.y} ${box.width} ${box.height}` : path
}

/** The columns that conditions can be about, besides those of the metadata. */
export const ownColumns = ['item', 'label', 'path'] as const

export function columnOf(entry: Entry): (name: string) => Scalar {
  return (name) => {
    if (entry.metadata && Object.hasOwn(entry.metadata, name)) return entry.metadata[name]!
    if (name === 'item' || name === 'label' || name === 'path') return entry[name] ?? null
    return null
  }
}
