/** What the server asks of the thread that computes, and what it answers. */
import type { Calibration } from '../evaluation/index.ts'
import type { Input } from '../inputs/index.ts'
import type { Comparison, IndexMatch } from '../model/index.ts'
import type { Device } from '../runtime/session.ts'

export interface Settings {
  /** The directory of a model, and the folder of the index that it filled. */
  readonly model: string
  readonly index: string
  /** Examples to fill the index with before it is opened; left out where it is there. */
  readonly gallery?: string | undefined
  readonly device: Device | 'auto'
}

/** An example as it came: the bytes of an image file, or a vector. */
export type Example = { readonly image: Uint8Array } | { readonly vector: readonly number[] }

export type Task =
  | { readonly kind: 'about' }
  | { readonly kind: 'embed'; readonly example: Example }
  | { readonly kind: 'search'; readonly example: Example; readonly k: number; readonly where?: string | undefined }
  | { readonly kind: 'compare'; readonly a: Example; readonly b: Example }
  | { readonly kind: 'picture'; readonly row: number }

export interface About {
  readonly items: number
  readonly columns: readonly string[]
  readonly metric: string
  readonly dimension: number
  readonly input: Input
  readonly calibration?: Calibration | undefined
}

export interface Answers {
  readonly about: About
  readonly embed: { readonly embedding: readonly number[] }
  readonly search: { readonly matches: readonly IndexMatch[] }
  readonly compare: Comparison
  /** The bytes of a WebP image; null where an item has none. */
  readonly picture: Uint8Array | null
}

/** An error keeps only its text on its way from another thread. */
export type Outcome<T> = { readonly value: T } | { readonly error: string; readonly status: number }
