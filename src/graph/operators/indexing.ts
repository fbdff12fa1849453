/** Operators that pick elements by index. */
import { GraphError } from '../../errors.ts'
import { describe, sameShape } from '../../tensor.ts'
import { expectDType, type Infer, integers, normalizeAxis, required } from './operator.ts'

const gather: Infer = (inputs, { axis = 0 }) => {
  const [x, indices] = [required(inputs, 0), required(inputs, 1)]
  expectDType(indices, 'int32', 'int64')
  const along = normalizeAxis(axis as number, x.shape.length)
  return [{ dtype: x.dtype, shape: [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)] }]
}

const gatherElements: Infer = (inputs, { axis = 0 }) => {
  const [x, indices] = [required(inputs, 0), required(inputs, 1)]
  expectDType(indices, 'int32', 'int64')
  const along = normalizeAxis(axis as number, x.shape.length)
  const fits = (extent: number, axis: number) => axis === along || extent <= x.shape[axis]!
  if (indices.shape.length !== x.shape.length || !indices.shape.every(fits)) {
    throw new GraphError(`indices ${describe(indices)} do not line up with ${describe(x)} along axis ${along}`)
  }
  return [{ dtype: x.dtype, shape: indices.shape }]
}

const scatterElements: Infer = (inputs, { axis = 0 }) => {
  const [x, indices, updates] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)]
  expectDType(indices, 'int32', 'int64')
  normalizeAxis(axis as number, x.shape.length)
  if (!sameShape(indices.shape, updates.shape)) {
    throw new GraphError(`indices ${describe(indices)} and updates ${describe(updates)} differ in shape`)
  }
  return [{ dtype: x.dtype, shape: x.shape }]
}

/** Each row of the last axis of `indices` is a place in x. */
const gatherND: Infer = (inputs, { batch_dims: shared = 0 }) => {
  const [x, indices] = [required(inputs, 0), required(inputs, 1)]
  expectDType(indices, 'int64')
  if (shared !== 0) throw new GraphError(`batch_dims is ${shared}; only 0 is supported`)
  const depth = indices.shape.at(-1)
  if (depth === undefined || depth > x.shape.length) {
    throw new GraphError(`indices ${describe(indices)} reach deeper than ${describe(x)}`)
  }
  return [{ dtype: x.dtype, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(depth)] }]
}

const topK: Infer = (inputs, { axis = -1 }) => {
  const x = required(inputs, 0)
  const [k] = integers(inputs, 1)
  const along = normalizeAxis(axis as number, x.shape.length)
  if (k! > x.shape[along]!) throw new GraphError(`there are no ${k} elements on axis ${along} of ${describe(x)}`)
  const shape = x.shape.with(along, k!)
  return [
    { dtype: x.dtype, shape },
    { dtype: 'int64', shape },
  ]
}

export const indexing: Readonly<Record<string, Infer>> = {
  Gather: gather,
  GatherElements: gatherElements,
  ScatterElements: scatterElements,
  TopK: topK,
  GatherND: gatherND,
}
