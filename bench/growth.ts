/** What compiling costs as layers are added: time, nodes, bytes, inputs and outputs; each layer has a weight, a bias and Adam's moments. */
import { compile } from '../src/compile.ts'
import { mlp } from '../src/encoders/index.ts'
import { toModel } from '../src/graph/to-onnx.ts'
import { triplet } from '../src/losses/index.ts'
import { writeModel } from '../src/onnx/codec.ts'
import { adam } from '../src/optimizers/index.ts'
import { wholeStep } from '../src/training/graphs.ts'
import { median } from './measure.ts'

const RUNS = 5
const input = { channels: 1, height: 8, width: 8 }

console.log(`Dense layers 64 wide, Adam, batch 32; medians of ${RUNS}`)
for (const layers of [10, 50, 100]) {
  const encoder = mlp({ input, hidden: Array(layers - 1).fill(64), dimension: 64 })
  const options = { encoder, loss: triplet(), optimizer: adam(), variables: encoder.variables(0), largestClass: 4 }
  const [building, opening]: [number[], number[]] = [[], []]
  let said = ''
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now()
    const { outputs } = await wholeStep(options, { pixels: { dtype: 'uint8', shape: [32, 1, 8, 8] } })
    const model = toModel(outputs)
    const bytes = writeModel(model).length
    const built = performance.now()
    const program = await compile(outputs, { threads: 2 })
    opening.push(performance.now() - built)
    building.push(built - start)
    await program.release()
    const ports = model.graph.inputs.length + model.graph.outputs.length
    said = `${model.graph.nodes.length} nodes, ${(bytes / 1024).toFixed(0)} KiB, ${ports} inputs and outputs`
  }
  console.log(
    `${layers} layers: built in ${median(building).toFixed(0)} ms, opened in ${median(opening).toFixed(0)} ms; ${said}`,
  )
}
