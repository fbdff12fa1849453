/** A vector as an encoder takes it: somebody else's embedding, or features. */

/** Rows of `dimension` numbers, float32. */
export interface VectorInput {
  readonly kind: 'vector'
  readonly dimension: number
}
