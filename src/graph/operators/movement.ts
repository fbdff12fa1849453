/** Operators that move elements and compute nothing. */
import { GraphError } from '../../errors.ts'
import { describe, sameShape, size } from '../../tensor.ts'
import { broadcast, type Infer, integers, normalizeAxis, required } from './operator.ts'

const transpose: Infer = (inputs, { perm }) => {
  const x = required(inputs, 0)
  const order = (perm as readonly number[] | undefined) ?? x.shape.map((_, i) => x.shape.length - 1 - i)
  if (
    !sameShape(
      [...order].sort((a, b) => a - b),
      x.shape.map((_, i) => i),
    )
  ) {
    throw new GraphError(`[${order.join(', ')}] is no order of the axes of ${describe(x)}`)
  }
  return [{ dtype: x.dtype, shape: order.map((axis) => x.shape[axis]!) }]
}

const reshape: Infer = (inputs) => {
  const x = required(inputs, 0)
  const target = integers(inputs, 1).map((extent, i) => (extent === 0 ? (x.shape[i] ?? 0) : extent))
  const known = size(target.filter((extent) => extent !== -1))
  const shape = target.map((extent) => (extent === -1 ? size(x.shape) / known : extent))
  if (size(shape) !== size(x.shape) || !shape.every(Number.isInteger)) {
    throw new GraphError(`${describe(x)} cannot become [${target.join(', ')}]`)
  }
  return [{ dtype: x.dtype, shape }]
}

const flatten: Infer = (inputs, { axis = 1 }) => {
  const x = required(inputs, 0)
  const at = (axis as number) < 0 ? (axis as number) + x.shape.length : (axis as number)
  return [{ dtype: x.dtype, shape: [size(x.shape.slice(0, at)), size(x.shape.slice(at))] }]
}

const unsqueeze: Infer = (inputs) => {
  const x = required(inputs, 0)
  const rank = x.shape.length + integers(inputs, 1).length
  const axes = integers(inputs, 1).map((axis) => normalizeAxis(axis, rank))
  const rest = [...x.shape]
  return [{ dtype: x.dtype, shape: Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!)) }]
}

const squeeze: Infer = (inputs) => {
  const x = required(inputs, 0)
  const axes = inputs[1]
    ? integers(inputs, 1).map((axis) => normalizeAxis(axis, x.shape.length))
    : x.shape.flatMap((extent, i) => (extent === 1 ? [i] : []))
  if (axes.some((axis) => x.shape[axis] !== 1)) throw new GraphError(`axes ${axes} of ${describe(x)} are not all 1`)
  return [{ dtype: x.dtype, shape: x.shape.filter((_, i) => !axes.includes(i)) }]
}

const expand: Infer = (inputs) => {
  const x = required(inputs, 0)
  return [{ dtype: x.dtype, shape: broadcast([x.shape, integers(inputs, 1)]) }]
}

const concat: Infer = (inputs, { axis }) => {
  const parts = inputs.map((_, i) => required(inputs, i))
  const first = parts[0]!
  const along = normalizeAxis(axis as number, first.shape.length)
  for (const part of parts) {
    const fits = sameShape(part.shape.with(along, 0), first.shape.with(along, 0))
    if (!fits || part.dtype !== first.dtype) {
      throw new GraphError(`${describe(part)} and ${describe(first)} cannot be joined along axis ${along}`)
    }
  }
  return [
    {
      dtype: first.dtype,
      shape: first.shape.with(
        along,
        parts.reduce((sum, p) => sum + p.shape[along]!, 0),
      ),
    },
  ]
}

/** Where a slice starts, how far it steps and how many elements it takes on one axis, after ONNX's clamping. */
export function resolveSlice(start: number, end: number, step: number, extent: number) {
  const from = Math.min(Math.max(start < 0 ? start + extent : start, 0), step < 0 ? extent - 1 : extent)
  const to = Math.min(Math.max(end < 0 ? end + extent : end, step < 0 ? -1 : 0), extent)
  return { start: from, step, count: Math.max(0, Math.ceil((to - from) / step)) }
}

const slice: Infer = (inputs) => {
  const x = required(inputs, 0)
  const [starts, ends] = [integers(inputs, 1), integers(inputs, 2)]
  const axes = inputs[3] ? integers(inputs, 3) : starts.map((_, i) => i)
  const steps = inputs[4] ? integers(inputs, 4) : starts.map(() => 1)
  const shape = [...x.shape]
  axes.forEach((axis, i) => {
    const along = normalizeAxis(axis, shape.length)
    shape[along] = resolveSlice(starts[i]!, ends[i]!, steps[i]!, x.shape[along]!).count
  })
  return [{ dtype: x.dtype, shape }]
}

/** How many elements Pad puts before each axis, then how many after each: those of the fourth input, or all. */
export function padsOf(inputs: Parameters<Infer>[0]): number[] {
  const x = required(inputs, 0)
  const pads = integers(inputs, 1)
  const rank = x.shape.length
  const axes = inputs[3] ? integers(inputs, 3).map((axis) => normalizeAxis(axis, rank)) : x.shape.map((_, i) => i)
  const count = axes.length
  if (pads.length !== 2 * count) throw new GraphError(`${describe(x)} needs ${2 * count} pads, found ${pads.length}`)
  const all = Array<number>(2 * rank).fill(0)
  axes.forEach((axis, i) => {
    all[axis] = pads[i]!
    all[axis + rank] = pads[i + count]!
  })
  return all
}

/** How many elements are there to be repeated, by the mode; the runtime would go on into other memory. */
const repeatable: Readonly<Record<string, (extent: number) => number>> = {
  reflect: (extent) => extent - 1,
  wrap: (extent) => extent,
}

/** Zeros (or another constant, or what lies at the edge) around; negative pads crop. */
const pad: Infer = (inputs, { mode = 'constant' }) => {
  const x = required(inputs, 0)
  const pads = padsOf(inputs)
  const rank = x.shape.length
  const most = repeatable[mode as string]
  const left = x.shape.map((extent, i) => extent + Math.min(pads[i]!, 0) + Math.min(pads[i + rank]!, 0))
  const tooWide = most ? pads.findIndex((each, i) => each > 0 && each > most(left[i % rank]!)) : -1
  if (tooWide >= 0) {
    throw new GraphError(
      `${mode} cannot give ${pads[tooWide]} elements beside axis ${tooWide % rank} of ${describe(x)}`,
    )
  }
  return [{ dtype: x.dtype, shape: x.shape.map((extent, i) => extent + pads[i]! + pads[i + rank]!) }]
}

const tile: Infer = (inputs) => {
  const x = required(inputs, 0)
  const repeats = integers(inputs, 1)
  if (repeats.length !== x.shape.length) {
    throw new GraphError(`${describe(x)} needs ${x.shape.length} repeats, found ${repeats.length}`)
  }
  return [{ dtype: x.dtype, shape: x.shape.map((extent, i) => extent * repeats[i]!) }]
}

/** By the extents of a constant input, or into `num_outputs` parts of which the last may be smaller. */
const split: Infer = (inputs, { axis = 0, num_outputs: parts }) => {
  const x = required(inputs, 0)
  const along = normalizeAxis(axis as number, x.shape.length)
  const whole = x.shape[along]!
  const extents = inputs[1] ? integers(inputs, 1) : equalParts(whole, parts as number | undefined)
  if (extents.reduce((sum, each) => sum + each, 0) !== whole) {
    throw new GraphError(`axis ${along} of ${describe(x)} cannot be split into ${extents.join(' + ')}`)
  }
  return extents.map((extent) => ({ dtype: x.dtype, shape: x.shape.with(along, extent) }))
}

function equalParts(whole: number, parts: number | undefined): number[] {
  if (!parts) throw new GraphError('neither the extents of the parts nor their number is given')
  const each = Math.ceil(whole / parts)
  return Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(each, whole - i * each)))
}

const trilu: Infer = (inputs) => {
  const x = required(inputs, 0)
  if (x.shape.length < 2) throw new GraphError(`expected matrices, found ${describe(x)}`)
  return [{ dtype: x.dtype, shape: x.shape }]
}

export const movement: Readonly<Record<string, Infer>> = {
  Transpose: transpose,
  Reshape: reshape,
  Flatten: flatten,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Expand: expand,
  Concat: concat,
  Slice: slice,
  Pad: pad,
  Tile: tile,
  Split: split,
  Trilu: trilu,
}
