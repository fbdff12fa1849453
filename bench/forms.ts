/** The forms that a graph is given for the CPU, beside the operators as they are: `tsx bench/forms.ts`. */
import { compile } from '../src/compile.ts'
import { toModel } from '../src/graph/to-onnx.ts'
import { input, one, type Value } from '../src/graph/value.ts'
import { writeModel } from '../src/onnx/codec.ts'
import { random } from '../src/random.ts'
import { open } from '../src/runtime/node.ts'
import { size } from '../src/tensor.ts'
import { matrixRate, medians } from './measure.ts'

const ROUNDS = 25
const { uniforms } = random(0, 'forms')

function convolution(images: number, extent: number): readonly [string, number[][], (values: Value[]) => Value] {
  const shapes = [
    [images, 64, extent, extent],
    [64, 64, 3, 3],
  ]
  const build = ([x, w]: Value[]) => one('Conv', [x, w], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
  return [`3 × 3, 64 → 64 channels, ${images} images of ${extent} × ${extent}`, shapes, build]
}

function biased(columns: number): readonly [string, number[][], (values: Value[]) => Value] {
  const build = ([x, w, b]: Value[]) => one('Gemm', [x, w, b], { transB: 1 })
  return [`2048 × 384 × ${columns} with a bias`, [[2048, 384], [columns, 384], [columns]], build]
}

/** The gradient of the weights of such a layer. */
function byWeights(columns: number): readonly [string, number[][], (values: Value[]) => Value] {
  const build = ([g, x]: Value[]) => one('Gemm', [g, x], { transA: 1 })
  return [
    `${columns} × 2048 × 384, the left one transposed`,
    [
      [2048, columns],
      [2048, 384],
    ],
    build,
  ]
}

/** Two layers of an MLP or a transformer. */
const feedForward = [
  '2048 × 384 × 1536 × 384 with biases, Gelu between',
  [[2048, 384], [1536, 384], [1536], [384, 1536], [384]],
  ([x, wide, a, narrow, b]: Value[]) => {
    const inner = one('Gelu', [one('Gemm', [x, wide, a], { transB: 1 })])
    return one('Gemm', [inner, narrow, b], { transB: 1 })
  },
] as const

const cases = [
  convolution(256, 14),
  convolution(256, 7),
  convolution(64, 28),
  convolution(16, 56),
  biased(1536),
  biased(1152),
  byWeights(1536),
  byWeights(1152),
  feedForward,
  ['sum over 2,048 rows of 1,536', [[2048, 1536]], ([x]: Value[]) => x!.sum([0])],
  ['2048 × 1536, whether above zero', [[2048, 1536]], ([x]: Value[]) => x!.greater(0).cast('float32')],
] as const

console.log(`Two threads; medians of ${ROUNDS}, taking turns. Rate ${(await matrixRate()).toFixed(0)} GFLOP/s`)
for (const [name, shapes, build] of cases) {
  const y = build(shapes.map((shape, i) => input(`x${i}`, 'float32', shape)))
  const feeds = Object.fromEntries(
    shapes.map((shape, i) => {
      return [`x${i}`, { dtype: 'float32', shape, data: uniforms(size(shape), -1, 1) }]
    }),
  ) as Parameters<Awaited<ReturnType<typeof compile>>['run']>[0]
  const [asIs, formed] = [await open(writeModel(toModel({ y })), { threads: 2 }), await compile({ y }, { threads: 2 })]
  const into = { y: { dtype: 'float32', shape: y.shape, data: new Float32Array(size(y.shape)) } } as const
  const [before, after] = await medians([() => asIs.run(feeds, into), () => formed.run(feeds, into)], ROUNDS)
  console.log(`${name}: ${before!.toFixed(2)} → ${after!.toFixed(2)} ms, ${(after! / before!).toFixed(2)}`)
  await Promise.all([asIs.release(), formed.release()])
}
