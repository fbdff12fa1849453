/** What is evaluated. */
import type { Tensor } from '../tensor.ts'

/** Embeddings [n, d] float32 with the class of each; null has none. */
export interface LabelledEmbeddings {
  readonly embeddings: Tensor
  readonly labels: readonly (string | number | null)[]
  /** [n]: items of equal groups, such as a camera's, are not compared with each other; -1 is of none. */
  readonly groups?: ArrayLike<number> | undefined
}

/** What a row asks to be compared with. */
export interface Comparison {
  readonly queries: LabelledEmbeddings
  readonly gallery: LabelledEmbeddings
  /** Whether row i of the gallery is query i itself, and is not compared with it. */
  readonly own: boolean
}

/** Whether two items are of one group, and so not compared. */
export function sameGroup({ queries, gallery }: Comparison, query: number, item: number): boolean {
  const group = queries.groups?.[query] ?? -1
  return group >= 0 && group === gallery.groups?.[item]
}
