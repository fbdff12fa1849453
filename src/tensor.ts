/** Element types, shapes, and tensors as plain data: what flows along the edges of a graph. */

export type DType = 'float32' | 'int32' | 'int64' | 'uint8' | 'bool'
export type Shape = readonly number[]
export type TypedArray = Float32Array | Int32Array | BigInt64Array | Uint8Array

/** What is known of a value before it is computed. */
export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}

/** A tensor as plain data, row-major. `bool` is held as bytes of 0 and 1. */
export interface Tensor extends TensorType {
  readonly data: TypedArray
}

const constructors = {
  float32: Float32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const

/** How many elements a shape has. */
export function size(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1)
}

/** An array of zeros for a type. */
export function allocate({ dtype, shape }: TensorType): TypedArray {
  return new constructors[dtype](size(shape))
}

const LARGEST = 2n ** 63n - 1n

/** The largest integer of all, with which files say "to the end", is rounded up where it is a number. */
export function toInt64(value: number): bigint {
  const integer = BigInt(value)
  return integer > LARGEST ? LARGEST : integer
}

/** Plain numbers as the data of a tensor. */
export function toTypedArray(dtype: DType, values: ArrayLike<number>): TypedArray {
  return dtype === 'int64'
    ? BigInt64Array.from(values as number[], toInt64)
    : constructors[dtype].from(values as number[])
}

/** `float32 [2, 3]`, for messages. */
export function describe({ dtype, shape }: TensorType): string {
  return `${dtype} [${shape.join(', ')}]`
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i])
}
