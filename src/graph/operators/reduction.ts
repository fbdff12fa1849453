/** Operators that reduce axes, and those that run along one. */
import { expectDType, type Infer, integers, normalizeAxis, required } from './operator.ts'

const reduce: Infer = (inputs, { keepdims = 1 }) => {
  const x = required(inputs, 0)
  const rank = x.shape.length
  const axes = inputs[1] ? integers(inputs, 1).map((axis) => normalizeAxis(axis, rank)) : x.shape.map((_, i) => i)
  const shape = keepdims
    ? x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent))
    : x.shape.filter((_, i) => !axes.includes(i))
  return [{ dtype: x.dtype, shape }]
}

const arg: Infer = (inputs, { axis = 0, keepdims = 1 }) => {
  const { shape } = required(inputs, 0)
  const along = normalizeAxis(axis as number, shape.length)
  return [
    {
      dtype: 'int64',
      shape: keepdims ? shape.map((extent, i) => (i === along ? 1 : extent)) : shape.filter((_, i) => i !== along),
    },
  ]
}

const cumSum: Infer = (inputs) => {
  const x = required(inputs, 0)
  expectDType(x, 'float32', 'int32', 'int64')
  for (const axis of integers(inputs, 1)) normalizeAxis(axis, x.shape.length)
  return [{ dtype: x.dtype, shape: x.shape }]
}

export const reduction: Readonly<Record<string, Infer>> = {
  ReduceSum: reduce,
  ReduceMean: reduce,
  ReduceMax: reduce,
  ReduceMin: reduce,
  ReduceSumSquare: reduce,
  ReduceLogSumExp: reduce,
  ReduceL2: reduce,
  ReduceProd: reduce,
  ArgMax: arg,
  ArgMin: arg,
  CumSum: cumSum,
}
