/** What steps cost as layers are added: to build and open, to run, and how large the graph is. */
import { mlp } from '../src/encoders/index.ts'
import { toModel } from '../src/graph/to-onnx.ts'
import { triplet } from '../src/losses/index.ts'
import { writeModel } from '../src/onnx/codec.ts'
import { adam } from '../src/optimizers/index.ts'
import { optimizerTypes, wholeStep } from '../src/training/graphs.ts'
import { packing } from '../src/training/packing.ts'
import { roles } from '../src/training/roles.ts'
import { createStep } from '../src/training/step.ts'
import { medians } from './measure.ts'

const RUNS = 5
const ROWS = 32
const pixels = { dtype: 'uint8', shape: [ROWS, 1, 8, 8], data: new Uint8Array(ROWS * 64) } as const
const batch = { inputs: { pixels }, labels: Int32Array.from({ length: ROWS }, (_, i) => i >> 1) }

console.log(`Dense layers 64 wide, Adam, batch ${ROWS}, two threads; medians of ${RUNS}`)
for (const layers of [10, 50, 100]) {
  const encoder = mlp({
    input: { channels: 1, height: 8, width: 8 },
    hidden: Array(layers - 1).fill(64),
    dimension: 64,
  })
  const options = {
    encoder,
    loss: triplet(),
    optimizer: adam(),
    variables: encoder.variables(0),
    largestClass: 2,
    threads: 2,
  }
  const { variables } = options
  const state = optimizerTypes(options)
  const layout = packing({ ...variables, ...state }, roles(variables, state))
  const model = toModel(layout.build((await wholeStep(options, { pixels })).outputs))
  const bytes = writeModel(model).length
  const [first] = await medians(
    [
      async () => {
        const step = createStep(options)
        await step.run([batch], 0.001)
        await step.release()
      },
    ],
    RUNS,
  )
  const step = createStep(options)
  const [each] = await medians([() => step.run([batch], 0.001)], 21)
  await step.release()
  console.log(
    `${layers} layers: ${model.graph.nodes.length} nodes, ${(bytes / 1024).toFixed(0)} KiB; built, opened and run once in ${first!.toFixed(0)} ms, then ${each!.toFixed(1)} ms a step`,
  )
}
