/**
 * Gradients of the operators that pick by index. They add with ScatterElements: ScatterND's addition races on repeated
 * indices when it runs on more than one thread.
 */
import { type Shape, size } from '../../tensor.ts'
import { constant, one, type Value } from '../value.ts'
import { at, inputsOf, type Rules, zeros } from './rule.ts'
import { scatterLines } from './scatter.ts'

/** A line at a place along `axis`, with zeros before and after it. */
function around(line: Value, place: number, axis: number, shape: Shape): Value {
  const before = shape.map((_, i) => (i === axis ? place : 0))
  const after = shape.map((extent, i) => (i === axis ? extent - 1 - place : 0))
  return line.pad([...before, ...after])
}

export const indexing: Rules = {
  Gather: (g, node) => {
    const [x, indices] = [inputsOf(node)[0]!, inputsOf(node)[1]!]
    const axis = at((node.attributes.axis as number) ?? 0, x.shape.length)
    const updates = g.reshape([...x.shape.slice(0, axis), size(indices.shape), ...x.shape.slice(axis + 1)])
    // One place that is known, as exporters take queries, keys and values apart: zeros around it, with nothing to look up.
    if (indices.data?.length === 1) return [around(updates, at(Number(indices.data[0]), x.shape[axis]!), axis, x.shape)]
    return [scatterLines(zeros(x.shape, g), indices.reshape([-1]), updates, axis)]
  },
  GatherND: (g, node) => {
    const [x, indices] = [inputsOf(node)[0]!, inputsOf(node)[1]!]
    const depth = indices.shape.at(-1)!
    const [picked, kept] = [x.shape.slice(0, depth), x.shape.slice(depth)]
    // A place as one number: how many lines each step along an axis passes over.
    const strides = picked.map((_, i) => size(picked.slice(i + 1)))
    const extents = constant('int64', [depth], picked)
    const wrapped = indices.less(0).where(indices.add(extents), indices)
    const lines = wrapped
      .mul(constant('int64', [depth], strides))
      .sum([indices.shape.length - 1])
      .reshape([-1])
    const flat = [size(picked), size(kept)]
    const updates = g.reshape([-1, size(kept)])
    return [scatterLines(zeros(flat, g), lines, updates, 0).reshape(x.shape)]
  },
  GatherElements: (g, node) => {
    const [x, indices] = [inputsOf(node)[0]!, inputsOf(node)[1]!]
    return [zeros(x.shape, g).scatterAdd(indices, g, (node.attributes.axis as number) ?? 0)]
  },
  ScatterElements: (g, node) => {
    const indices = inputsOf(node)[1]!
    const { axis = 0, reduction = 'none' } = node.attributes
    // What was written over had no part in the result.
    const kept = reduction === 'none' ? one('ScatterElements', [g, indices, zeros(indices.shape, g)], { axis }) : g
    return [kept, undefined, g.gatherElements(indices, axis as number)]
  },
  TopK: (g, node) => {
    const x = inputsOf(node)[0]!
    return [zeros(x.shape, g).scatterAdd(node.outputs[1]!, g, (node.attributes.axis as number) ?? -1)]
  },
}
