/** Where indexes lie: in a folder of our own, or in LanceDB. What is done to them is the same. */
import { UsageError } from '../errors.ts'
import type { Metric } from '../metrics/metric.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import { checkApproximate, type Wanted } from './lance/approximate.ts'
import { addToLance, createLance, type Measuring, removeFromLance } from './lance/change.ts'
import { type Approximate, isLance, openItems } from './lance/head.ts'
import { openLance } from './lance/open.ts'
import { isAddress } from './lance/package.ts'
import type { Entry } from './store/entry.ts'
import { type OpenIndex, openExact } from './store/exact.ts'
import { type Head, readHead } from './store/head.ts'
import type { Items } from './store/part.ts'
import { type AddOptions, addToStore, createStore, removeFromStore } from './store/store.ts'

/** What every index says of itself. */
export type About = Pick<Head, 'model' | 'metric' | 'dimension' | 'columns'> & {
  readonly approximate?: Approximate | undefined
}

export interface StoreOptions {
  /** `lancedb` where memory is too small for all vectors; addresses are always of it. `exact` if left out. */
  readonly store?: 'exact' | 'lancedb' | undefined
  /** An index that does not look at every vector, of `lancedb` alone. Its recall is measured when it is built. */
  readonly approximate?: Wanted | undefined
}

/** @throws DataError if there is no index, or one of a newer format, or a damaged one. */
export async function aboutIndex(path: string): Promise<About> {
  if (!(await isLance(path))) return readHead(path)
  const { db, head } = await openItems(path)
  db.close()
  return head
}

/** @throws UsageError if what is asked for does not go together. */
export function checkStore(path: string, metric: Metric, { store, approximate }: StoreOptions): void {
  if (store === 'exact' && isAddress(path)) {
    throw new UsageError(
      `${path} is an address, which only LanceDB can write to. Leave the store out, or name a folder.`,
    )
  }
  if (!approximate) return
  if (store !== 'lancedb' && !isAddress(path)) {
    throw new UsageError('Only LanceDB searches approximately. Add --store lancedb, or leave --approximate out.')
  }
  checkApproximate(metric)
}

export async function createItems(
  path: string,
  of: Pick<Head, 'model' | 'metric' | 'dimension'>,
  items: AsyncIterable<Items>,
  { store, approximate, ...measuring }: StoreOptions & Measuring,
): Promise<About> {
  if (store !== 'lancedb' && !isAddress(path)) return createStore(path, of, items)
  return createLance(path, of, items, { approximate, ...measuring })
}

export async function addItems(
  path: string,
  items: AsyncIterable<Items>,
  { replace, ...measuring }: AddOptions & Measuring,
): Promise<About> {
  if (!(await isLance(path))) return addToStore(path, items, { replace })
  return addToLance(path, items, { replace, ...measuring })
}

export async function removeItems(
  path: string,
  isRemoved: (entry: Entry) => boolean,
  check?: () => void,
): Promise<number> {
  return (await isLance(path)) ? removeFromLance(path, isRemoved, check) : removeFromStore(path, isRemoved, check)
}

export async function openItemsIn(
  path: string,
  metric: Metric,
  compute: ComputeOptions,
  warn: (message: string) => void,
): Promise<OpenIndex> {
  return (await isLance(path)) ? openLance(path, metric, compute, warn) : openExact(path, metric, compute)
}
