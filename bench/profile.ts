/** Where the time of a step goes, by the runtime's own profile: `tsx bench/profile.ts mlp|convolutional|transformer`. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { channelBlock } from '../src/channel-block.ts'
import { forCpu } from '../src/graph/for-cpu.ts'
import { rewrite } from '../src/graph/rewrite.ts'
import { toModel } from '../src/graph/to-onnx.ts'
import { writeModel } from '../src/onnx/codec.ts'
import { adam, adamW } from '../src/optimizers/index.ts'
import { allocate, type Tensor as Plain, type TensorType } from '../src/tensor.ts'
import { optimizerTypes, RATE, wholeStep } from '../src/training/graphs.ts'
import { NEXT } from '../src/training/held.ts'
import { median } from './measure.ts'
import { steps } from './steps.ts'

const RUNS = 21
const SHOWN = 15

const step = steps.find(({ name }) => name === process.argv[2])
if (!step) throw new Error(`Name one of ${steps.map(({ name }) => name).join(', ')}.`)
const { encoder, loss, inputs } = step
const variables = encoder.variables(0)
const optimizer = step.name === 'transformer' ? adamW() : adam()
const options = { encoder, loss, optimizer, variables, largestClass: 4 }
const { outputs } = await wholeStep(options, inputs)

const folder = mkdtempSync(join(tmpdir(), 'profile-'))
const session = await InferenceSession.create(writeModel(toModel(rewrite(outputs, forCpu(await channelBlock())))), {
  intraOpNumThreads: 2,
  graphOptimizationLevel: 'extended',
  enableMemPattern: false,
  extra: { session: { force_spinning_stop: '1', set_denormal_as_zero: '1' } },
  enableProfiling: true,
  profileFilePrefix: join(folder, 'step'),
})
const filled = ({ dtype, shape, data }: TensorType & Partial<Plain>) =>
  new Tensor(dtype, (data ?? allocate({ dtype, shape })) as Float32Array, shape)
const held = { ...variables, ...optimizerTypes(options) }
const [rows] = Object.values(inputs)[0]!.shape as [number]
const labels = Int32Array.from({ length: rows }, (_, i) => i >> 2)
const feeds = {
  ...Object.fromEntries(Object.entries(held).map(([name, type]) => [name, filled(type)])),
  ...Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [`batch ${name}`, filled(tensor)])),
  'batch labels': new Tensor('int32', labels, [rows]),
  [RATE]: new Tensor('float32', Float32Array.of(0.001), []),
}
const into = Object.fromEntries(
  Object.entries(held).map(([name, { dtype, shape }]) => [NEXT + name, filled({ dtype, shape })]),
)
const fetches = Object.fromEntries(session.outputNames.map((name) => [name, into[name] ?? null]))
const runs: number[] = []
for (let i = 0; i < RUNS; i++) {
  const start = performance.now()
  await session.run(feeds, fetches)
  runs.push(performance.now() - start)
}
session.endProfiling()

interface Event {
  readonly cat: string
  readonly name: string
  readonly dur: number
  readonly args: { readonly op_name: string }
}
const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8')) as Event[]
rmSync(folder, { recursive: true })
const nodes = new Map<string, { operator: string; times: number[] }>()
for (const { cat, name, dur, args } of events) {
  if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue
  const node = nodes.get(name) ?? { operator: args.op_name, times: [] }
  node.times.push(dur / 1000)
  nodes.set(name, node)
}
const byOperator = new Map<string, number>()
for (const { operator, times } of nodes.values()) {
  byOperator.set(operator, (byOperator.get(operator) ?? 0) + median(times))
}
const sum = [...byOperator.values()].reduce((a, b) => a + b)
console.log(`${step.title}: ${median(runs).toFixed(1)} ms, of which ${sum.toFixed(1)} in nodes`)
for (const [operator, time] of [...byOperator].sort((a, b) => b[1] - a[1]).slice(0, SHOWN)) {
  console.log(`${time.toFixed(2).padStart(8)} ms  ${operator}`)
}
