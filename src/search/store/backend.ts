/** Where an index is kept: a folder that is searched in memory, or LanceDB. What is done with it is the same. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metric } from '../../metrics/metric.ts'
import type { ComputeOptions } from '../../runtime/session.ts'
import type { Tensor } from '../../tensor.ts'
import type { Entry } from './entry.ts'
import type { Items } from './part.ts'

/** What an index says of itself. */
export interface About {
  /** The fingerprint of what embedded the items. */
  readonly model: string
  readonly metric: string
  readonly dimension: number
}

/** A column of metadata, and what its values are. */
export interface MetadataColumn {
  readonly name: string
  readonly type: 'text' | 'number' | 'boolean'
}

export interface Found {
  readonly row: number
  readonly entry: Entry
  /** The embedding of the item. */
  readonly vector: Float32Array
  /** In the metric's unit. */
  readonly distance: number
}

export interface NearestOptions {
  readonly k: number
  /** A condition on columns, as in SQL: only what meets it is searched. */
  readonly where?: string | undefined
}

/** An index that is ready to be searched. */
export interface OpenedStore {
  readonly size: number
  /** What conditions can be about. */
  readonly columns: readonly string[]
  /**
   * The nearest items of each query [q, dimension], nearest first, in the metric's own distance.
   *
   * @throws UsageError if the condition cannot be read; DataError if the queries do not fit.
   */
  nearest(queries: Tensor, options: NearestOptions): Promise<Found[][]>
  /** What is known of a row; undefined if there is no such row. */
  entry(row: number): Promise<Entry | undefined>
  release(): Promise<void>
}

/** Which items: by their names or by where their images lie, or by a condition. */
export type Removal =
  | { readonly items: readonly string[]; readonly places: readonly string[] }
  | { readonly where: string }

/** How an approximate index does: the share of the ten nearest that it finds, over so many of its own vectors. */
export interface Recall {
  readonly recallAt10: number
  readonly queries: number
}

export interface FillOptions {
  /** The model's, by which an approximate index is measured. */
  readonly metric: Metric
  readonly compute: ComputeOptions
  /** The columns of the items' metadata. */
  readonly columns: readonly MetadataColumn[]
}

export interface Backend {
  /** @throws DataError if there is no index, or it is damaged, or of a newer format. */
  about(place: string): Promise<About>
  /** @throws DataError if something is there already. */
  checkNew(place: string): Promise<void>
  /** Makes an index, whole or not at all. */
  create(
    place: string,
    about: About,
    items: AsyncIterable<Items>,
    options: FillOptions & { readonly approximate?: boolean | undefined },
  ): Promise<Recall | undefined>
  /** Adds items, all or none. @throws DataError if one is there already and `replace` is not set. */
  add(
    place: string,
    items: AsyncIterable<Items>,
    options: FillOptions & { readonly replace?: boolean | undefined },
  ): Promise<Recall | undefined>
  /** Removes items, and says how many. @throws DataError if one that is named is not there. */
  remove(place: string, removal: Removal): Promise<number>
  /** @param warn is told where the index cannot order as the metric does. */
  open(place: string, metric: Metric, compute: ComputeOptions, warn: (message: string) => void): Promise<OpenedStore>
}

export const stores = ['folder', 'lancedb'] as const

/** The backend of an index that is there, or of one to be made. */
export async function backendOf(place: string, store?: (typeof stores)[number]): Promise<Backend> {
  const isLance = isAddress(place) || store === 'lancedb' || (store === undefined && (await isLanceFolder(place)))
  return isLance ? (await import('../lancedb/backend.ts')).lancedb : (await import('./folder.ts')).folder
}

/** Whether it is no path: object storage, or a server. */
export function isAddress(place: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(place)
}

async function isLanceFolder(place: string): Promise<boolean> {
  return (await stat(join(place, 'items.lance')).catch(() => undefined)) !== undefined
}
