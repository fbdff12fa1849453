/** Zeros that gradients begin with are made when a graph runs: none is written into the model, or folded into a session. */
import { expect, test } from 'vitest'
import { writeModel } from '../../onnx/codec.ts'
import { type Shape, size } from '../../tensor.ts'
import { differentiate } from '../differentiate.ts'
import { reach, toModel } from '../to-onnx.ts'
import { apply, input, integers, one, type Value } from '../value.ts'

/** 4 MiB of float32. */
const LARGE: Shape = [1, 4, 512, 512]
const indices = (shape: Shape) => input('indices', 'int64', shape)

/** Of numbers that are computed of constants alone, how many: the runtime computes them when it opens, and keeps them. */
function foldedSizes(outputs: readonly Value[]): number[] {
  const known = new Set<Value>()
  const isKnown = (value: Value | undefined) => !value || value.source.kind === 'constant' || known.has(value)
  for (const { inputs, outputs: made } of reach(outputs).nodes) {
    if (inputs.every(isKnown)) for (const each of made) known.add(each)
  }
  return [...known].filter(({ dtype }) => dtype === 'float32').map(({ shape }) => size(shape))
}

test.each<[string, (x: Value) => Value]>([
  ['Gather', (x) => x.gather(indices([3]), 2)],
  ['GatherElements', (x) => x.gatherElements(indices([1, 4, 512, 2]), 3)],
  ['GatherND', (x) => one('GatherND', [x, indices([5, 4])])],
  [
    'ScatterElements',
    (x) => one('ScatterElements', [x, indices([1, 4, 2, 512]), input('y', 'float32', [1, 4, 2, 512])], { axis: 2 }),
  ],
  ['TopK', (x) => x.topK(2, 3).values],
  ['MaxPool with windows that overlap', (x) => one('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2] })],
  ['a Slice with a step', (x) => one('Slice', [x, ...[0, 512, 2, 8].map((each) => integers([each]))])],
  ['a Split of which one part is used', (x) => apply('Split', [x, integers([1, 511])], { axis: 2 })[0]!],
  ['a Pad that repeats', (x) => one('Pad', [x, integers([0, 0, 0, 1, 0, 0, 0, 1])], { mode: 'edge' })],
  ['a target that the output does not depend on', () => input('other', 'float32', [2]).exp()],
])('%s', (_, f) => {
  const x = input('x', 'float32', LARGE)
  const y = f(x)
  const [gradient] = differentiate(y, [x], input('upstream', 'float32', y.shape))
  expect(writeModel(toModel({ gradient: gradient! })).length).toBeLessThan(2 ** 14)
  expect(Math.max(0, ...foldedSizes([gradient!]))).toBeLessThan(2 ** 10)
})
