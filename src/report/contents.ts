/** What a report is made of. */
import type { Evaluation, Verification } from '../evaluation/index.ts'
import type { Description } from '../model/index.ts'
import type { History } from './history.ts'
import type { Query } from './neighbours.ts'
import type { Thumbnail } from './thumbnails.ts'

export interface Contents {
  readonly name: string
  /** The command that makes this report again. */
  readonly command: string
  /** The command that makes the model again; undefined where another program made it. */
  readonly trainCommand: string | undefined
  readonly notice?: string | undefined
  readonly description: Description
  readonly history: History
  readonly figures: Figures | undefined
}

/** What was seen of the items. Rows are those of their source. */
export interface Figures {
  /** All of them, or the queries alone. */
  readonly items: number
  /** How many they are compared with, if not with each other. */
  readonly compared: number | undefined
  readonly kind: 'images' | 'items'
  readonly classCount: number
  readonly evaluation: Evaluation | undefined
  readonly verification: (Verification & { readonly marked: Threshold }) | undefined
  readonly map: { readonly classes: readonly string[]; readonly points: readonly MapPoint[] } | undefined
  /** The worst mistakes first, then queries that find their class. */
  readonly queries: readonly Query[]
  readonly mistakes: number
  readonly queryCount: number
  /** The least precise first, up to a bound. */
  readonly byClass: readonly ClassRow[]
  readonly measuredClasses: number
  item(row: number): { readonly label: string | null; readonly name: string }
  readonly pictures: ReadonlyMap<number, Thumbnail>
}

/** A distance, and what is the case there. */
export interface Threshold {
  readonly distance: number
  readonly meaning: string
}

export interface ClassRow {
  readonly name: string
  readonly queries: number
  /** The share of its items whose nearest neighbour is of the class. */
  readonly precision: number
  /** One of its items. */
  readonly row: number
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
