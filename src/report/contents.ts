/** What a report is made of. */
import type { Evaluation } from '../evaluation/index.ts'
import type { Description } from '../model/index.ts'
import type { History } from './history.ts'
import type { ClassPrecision, Query } from './neighbours.ts'
import type { Verification } from './pairs.ts'
import type { Thumbnail } from './thumbnails.ts'

export interface Contents {
  readonly name: string
  readonly command: string
  readonly notice?: string | undefined
  readonly description: Description
  readonly history: History
  readonly figures: Figures | undefined
}

/** What was seen of the items. Rows are those of their source. */
export interface Figures {
  readonly items: number
  readonly kind: 'images' | 'items'
  readonly classCount: number
  /** Where all items lie; '' if they have no such place. */
  readonly folder: string
  readonly evaluation: Evaluation | undefined
  readonly verification: Verification | undefined
  /** How many items the map and the pairs are of. */
  readonly sampled: number
  readonly map: { readonly classes: readonly string[]; readonly points: readonly MapPoint[] } | undefined
  /** The worst mistakes first, then queries that find their class. */
  readonly queries: readonly Query[]
  readonly mistakes: number
  readonly queryCount: number
  readonly byClass: readonly ClassPrecision[]
  item(row: number): { readonly label: string | null; readonly name: string }
  readonly pictures: ReadonlyMap<number, Thumbnail>
}

export interface MapPoint {
  readonly place: readonly [x: number, y: number]
  /** An index into the classes; -1 is none. */
  readonly label: number
  readonly name: string
  /** Whether its nearest neighbour is of its class; null where there is nothing to be found. */
  readonly right: boolean | null
  /** A `data:` address. */
  readonly picture: string | null
}
