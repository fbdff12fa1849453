/** Values: the edges of a graph, each with a fixed type and the node that computes it. Their methods build more graph. */
import { GraphError } from '../errors.ts'
import { type DType, type Shape, size, type TensorType, toTypedArray } from '../tensor.ts'
import { describeValue } from './describe.ts'
import { transposed } from './exchange.ts'
import type { CustomGradient, Node, Operand, Source } from './node.ts'
import type { Attributes } from './operators/operator.ts'
import { operators } from './operators/table.ts'

/**
 * A tensor that a graph will compute. Shapes follow NumPy's broadcasting. Every method returns a new value and throws
 * GraphError where shapes or types do not fit.
 */
export class Value implements TensorType {
  readonly dtype: DType
  readonly shape: Shape
  readonly source: Source

  constructor({ dtype, shape }: TensorType, source: Source) {
    this.dtype = dtype
    this.shape = shape
    this.source = source
  }

  /** The node that computes this, if one does. */
  get node(): Node | undefined {
    return this.source.kind === 'node' ? this.source.node : undefined
  }

  /** The data of a constant. */
  get data() {
    return this.source.kind === 'constant' ? this.source.tensor.data : undefined
  }

  add(other: Operand): Value {
    return one('Add', [this, like(this, other)])
  }
  sub(other: Operand): Value {
    return one('Sub', [this, like(this, other)])
  }
  mul(other: Operand): Value {
    return one('Mul', [this, like(this, other)])
  }
  div(other: Operand): Value {
    return one('Div', [this, like(this, other)])
  }
  pow(exponent: Operand): Value {
    return one('Pow', [this, like(this, exponent)])
  }
  maximum(other: Operand): Value {
    return one('Max', [this, like(this, other)])
  }
  minimum(other: Operand): Value {
    return one('Min', [this, like(this, other)])
  }

  neg(): Value {
    return one('Neg', [this])
  }
  abs(): Value {
    return one('Abs', [this])
  }
  exp(): Value {
    return one('Exp', [this])
  }
  log(): Value {
    return one('Log', [this])
  }
  sqrt(): Value {
    return one('Sqrt', [this])
  }
  reciprocal(): Value {
    return one('Reciprocal', [this])
  }
  square(): Value {
    return this.mul(this)
  }
  relu(): Value {
    return one('Relu', [this])
  }
  sigmoid(): Value {
    return one('Sigmoid', [this])
  }
  tanh(): Value {
    return one('Tanh', [this])
  }
  /** log(1 + exp(x)), without overflow. */
  softplus(): Value {
    return one('Softplus', [this])
  }
  sin(): Value {
    return one('Sin', [this])
  }
  cos(): Value {
    return one('Cos', [this])
  }
  acos(): Value {
    return one('Acos', [this])
  }

  equal(other: Operand): Value {
    return one('Equal', [this, like(this, other)])
  }
  greater(other: Operand): Value {
    return one('Greater', [this, like(this, other)])
  }
  greaterEqual(other: Operand): Value {
    return one('GreaterOrEqual', [this, like(this, other)])
  }
  less(other: Operand): Value {
    return one('Less', [this, like(this, other)])
  }
  lessEqual(other: Operand): Value {
    return one('LessOrEqual', [this, like(this, other)])
  }
  and(other: Value): Value {
    return one('And', [this, other])
  }
  or(other: Value): Value {
    return one('Or', [this, other])
  }
  not(): Value {
    return one('Not', [this])
  }
  /** `a` where this condition holds, `b` elsewhere. One of the two may be a number. */
  where(a: Operand, b: Operand): Value {
    const typed = a instanceof Value ? a : b instanceof Value ? b : scalar(0)
    return one('Where', [this, like(typed, a), like(typed, b)])
  }
  cast(dtype: DType): Value {
    return dtype === this.dtype ? this : one('Cast', [this], { dtype })
  }

  /** The sum over `axes` (all of them if left out). */
  sum(axes?: readonly number[], keepDims = false): Value {
    return reduce('ReduceSum', this, axes, keepDims)
  }
  mean(axes?: readonly number[], keepDims = false): Value {
    return reduce('ReduceMean', this, axes, keepDims)
  }
  max(axes?: readonly number[], keepDims = false): Value {
    return reduce('ReduceMax', this, axes, keepDims)
  }
  min(axes?: readonly number[], keepDims = false): Value {
    return reduce('ReduceMin', this, axes, keepDims)
  }
  sumSquare(axes?: readonly number[], keepDims = false): Value {
    return reduce('ReduceSumSquare', this, axes, keepDims)
  }
  logSumExp(axes?: readonly number[], keepDims = false): Value {
    return reduce('ReduceLogSumExp', this, axes, keepDims)
  }
  /** Where the largest element along `axis` is (int64); the axis stays, with extent 1. */
  argMax(axis: number): Value {
    return one('ArgMax', [this], { axis })
  }
  argMin(axis: number): Value {
    return one('ArgMin', [this], { axis })
  }
  /** Running sums along `axis`; from the end where `reverse`. */
  cumSum(axis: number, { reverse = false, exclusive = false } = {}): Value {
    const attributes = { reverse: Number(reverse), exclusive: Number(exclusive) }
    return one('CumSum', [this, constant('int64', [], [axis])], attributes)
  }

  matmul(other: Value): Value {
    return one('MatMul', [this, other])
  }
  transpose(perm: readonly number[] = this.shape.map((_, i) => this.shape.length - 1 - i)): Value {
    if (perm.every((axis, i) => axis === i)) return this
    const before = transposed(this)
    return before ? before.x.transpose(perm.map((axis) => before.perm[axis]!)) : one('Transpose', [this], { perm })
  }
  /** One extent may be −1: it is worked out. An extent of 0 keeps the axis as it is. */
  reshape(shape: Shape): Value {
    return one('Reshape', [this, integers(shape)])
  }
  /** [n, …] as [n, product of the rest]. */
  flatten(): Value {
    return one('Flatten', [this], { axis: 1 })
  }
  expand(shape: Shape): Value {
    return one('Expand', [this, integers(shape)])
  }
  squeeze(axes: readonly number[]): Value {
    return one('Squeeze', [this, integers(axes)])
  }
  unsqueeze(axes: readonly number[]): Value {
    return one('Unsqueeze', [this, integers(axes)])
  }
  /** Elements `start` to `end` (exclusive) along `axis`; a negative step runs backwards. */
  slice(axis: number, start: number, end: number, step = 1): Value {
    return this.sliceAxes(this.shape.map((_, i) => (i === axis ? [start, end, step] : undefined)))
  }
  /** Several axes at once: `ranges[axis]` is [start, end, step], or undefined to keep the axis whole. */
  sliceAxes(ranges: readonly (readonly [number, number, number] | undefined)[]): Value {
    const cut = ranges.flatMap((range, axis) => (range ? [[...range, axis] as const] : []))
    if (cut.length === 0) return this
    return one('Slice', [this, ...([0, 1, 3, 2] as const).map((part) => integers(cut.map((each) => each[part])))])
  }
  /** Zeros around: how many before each axis, then how many after each. */
  pad(pads: readonly number[]): Value {
    return pads.every((each) => each === 0) ? this : one('Pad', [this, integers(pads)])
  }

  /** Rows (or what lies along `axis`) by index. */
  gather(indices: Value, axis = 0): Value {
    return one('Gather', [this, indices], { axis })
  }
  /** One element of each line along `axis` for each index, as NumPy's `take_along_axis`. */
  gatherElements(indices: Value, axis: number): Value {
    return one('GatherElements', [this, indices], { axis })
  }
  /** This, with `updates` added at `indices` along `axis`. */
  scatterAdd(indices: Value, updates: Value, axis: number): Value {
    return one('ScatterElements', [this, indices, updates], { axis, reduction: 'add' })
  }
  /** The k largest (or smallest) along `axis`, in order, and where they were (int64). */
  topK(k: number, axis: number, { largest = true } = {}): { values: Value; indices: Value } {
    const [values, indices] = apply('TopK', [this, integers([k])], { axis, largest: Number(largest), sorted: 1 })
    return { values: values!, indices: indices! }
  }

  /** The same value, through which no gradient flows. */
  detach(): Value {
    return this.withGradient({ inputs: [], rule: () => [] })
  }
  /** The same value, with a gradient of its own. */
  withGradient(custom: CustomGradient): Value {
    return one('Identity', [this], {}, custom)
  }
}

/** A value that is fed when the graph runs. */
export function input(name: string, dtype: DType, shape: Shape): Value {
  return new Value({ dtype, shape }, { kind: 'input', name })
}

/** A value that is part of the graph. */
export function constant(dtype: DType, shape: Shape, values: ArrayLike<number>): Value {
  if (values.length !== size(shape)) {
    throw new GraphError(`A constant of [${shape.join(', ')}] needs ${size(shape)} values, found ${values.length}.`)
  }
  return new Value({ dtype, shape }, { kind: 'constant', tensor: { dtype, shape, data: toTypedArray(dtype, values) } })
}

export function scalar(value: number, dtype: DType = 'float32'): Value {
  return constant(dtype, [], [value])
}

/** A list of integers, as shapes and axes are given to operators. */
export function integers(values: readonly number[]): Value {
  return constant('int64', [values.length], values)
}

export function concat(parts: readonly Value[], axis: number): Value {
  return parts.length === 1 ? parts[0]! : one('Concat', parts, { axis })
}

let nodes = 0

/** A node of any operator; the other functions and methods are short for this. */
export function apply(
  operator: string,
  inputs: readonly (Value | undefined)[],
  attributes: Attributes = {},
  custom?: CustomGradient,
): readonly Value[] {
  const infer = operators[operator]
  if (!infer) throw new GraphError(`The operator ${operator} is not known. Known: ${Object.keys(operators).join()}.`)
  const outputs: Value[] = []
  const node: Node = { number: nodes++, operator, inputs, attributes, outputs, custom }
  try {
    for (const type of infer(inputs, attributes)) outputs.push(new Value(type, { kind: 'node', node }))
  } catch (error) {
    if (!(error instanceof GraphError)) throw error
    const found = inputs.map(describeValue).join(', ')
    throw new GraphError(`${operator}(${found}): ${error.message}.`)
  }
  return outputs
}

/** The first output of a node: most have only that. */
export function one(
  operator: string,
  inputs: readonly (Value | undefined)[],
  attributes?: Attributes,
  custom?: CustomGradient,
): Value {
  return apply(operator, inputs, attributes, custom)[0]!
}

function like(partner: Value, operand: Operand): Value {
  return operand instanceof Value ? operand : scalar(operand, partner.dtype)
}

function reduce(operator: string, x: Value, axes: readonly number[] | undefined, keepDims: boolean): Value {
  if (axes?.length === 0) return operator === 'ReduceSumSquare' ? x.square() : x
  return one(operator, [x, axes && integers(axes)], { keepdims: Number(keepDims) })
}
