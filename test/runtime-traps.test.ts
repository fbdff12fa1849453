/** What ONNX Runtime gets wrong without a word, and that nothing here falls into it. Further ones stand beside their subject. */
import { expect, test } from 'vitest'
import { compile } from '../src/compile.ts'
import { convolutional, mlp } from '../src/encoders/index.ts'
import { differentiate } from '../src/graph/differentiate.ts'
import { toModel } from '../src/graph/to-onnx.ts'
import { apply, input, type Value } from '../src/graph/value.ts'
import { lossByName, lossesByName } from '../src/losses/by-name.ts'
import { contrastive, cosineMarginTriplet, quadruplet, triplet } from '../src/losses/index.ts'
import { metricsByName } from '../src/metrics/by-name.ts'
import { minerByName, minerNames } from '../src/mining/by-name.ts'
import type { Node } from '../src/onnx/schema.ts'
import { adagrad, adam, adamW, clipByGlobalNorm, type Optimizer, rmsprop, sgd } from '../src/optimizers/index.ts'
import { random } from '../src/random.ts'
import type { Tensor } from '../src/tensor.ts'
import { type GraphOptions, wholeStep } from '../src/training/graphs.ts'
import { createStep } from '../src/training/step.ts'
import { read } from './imported.ts'
import { node, tensor } from './onnx.ts'

const image = { channels: 1, height: 12, width: 12 }
const encoders = [
  convolutional({ input: image, channels: [4, 4], dimension: 6 }),
  mlp({ input: image, hidden: [8], dimension: 6 }),
]
const optimizers: Optimizer[] = [
  sgd({ momentum: 0.9 }),
  adam({ amsgrad: true }),
  adamW(),
  rmsprop(),
  adagrad(),
  clipByGlobalNorm(adam(), 1),
]
const miners = minerNames.map((name) => minerByName(name))
const losses = [
  // What takes tuples alone has a test of its own below.
  ...[...lossesByName.keys()].filter((name) => name !== 'quadruplet').map((name) => lossByName(name)),
  ...[...metricsByName.values()].flatMap((metric) => miners.map((mining) => triplet({ metric, mining }))),
  ...miners.flatMap((mining) => [cosineMarginTriplet({ mining }), contrastive({ mining })]),
]

/** Every graph that training emits: each encoder, loss, miner, metric and optimiser at least once. */
async function emitted(): Promise<Node[][]> {
  const graphs: Node[][] = []
  for (const [i, loss] of losses.entries()) {
    const encoder = encoders[i % encoders.length]!
    const options: GraphOptions = {
      encoder,
      loss,
      optimizer: optimizers[i % optimizers.length]!,
      variables: encoder.variables(0),
      largestClass: 3,
      classes: 4,
    }
    const { outputs } = await wholeStep(options, { pixels: { dtype: 'uint8', shape: [12, 1, 12, 12] } })
    graphs.push(toModel(outputs).graph.nodes)
  }
  return graphs
}

test('no graph holds operators that race, that the optimiser removes, or whose chance cannot be repeated', async () => {
  for (const nodes of await emitted()) {
    expect(nodes.length).toBeGreaterThan(20)
    for (const { operator, attributes } of nodes) {
      expect(operator).not.toMatch(/^(ScatterND|Dropout|Bernoulli|Multinomial|Random)/)
      // No kernel computes in float64, so nothing asks for it.
      if (operator === 'Cast') expect(attributes[0]!.int).not.toBe(11)
    }
  }
})

test('batch normalisation writes over its running inputs, so nobody else reads them, and they are two', async () => {
  const line = (value: number) => tensor('float32', [4], [value, value, value, value])
  const layer = (i: number) =>
    node('BatchNormalization', [`x${i}`, 'scale', 'shift', `mean${i}`, `variance${i}`], [`x${i + 1}`], {
      training_mode: 1,
    })
  const encoder = await read({
    nodes: [layer(0), layer(1)],
    // The two layers' statistics begin alike, and exporters may give them one value for both.
    initializers: {
      scale: line(1),
      shift: line(0),
      mean0: line(0),
      variance0: line(1),
      mean1: line(0),
      variance1: line(1),
    },
    inputs: { x0: ['float32', 'n', 4] },
    outputs: ['x2'],
  })
  const options = { encoder, loss: triplet(), optimizer: adam(), variables: encoder.variables(0), largestClass: 3 }
  const { outputs } = await wholeStep(options, { x0: { dtype: 'float32', shape: [12, 4] } })
  const { nodes } = toModel(outputs).graph
  const normalizing = nodes.filter(({ operator }) => operator === 'BatchNormalization')
  expect(normalizing).toHaveLength(2)
  for (const each of normalizing) {
    const [mean, variance] = each.inputs.slice(3)
    expect(mean).not.toBe(variance)
    for (const name of [mean!, variance!]) {
      expect(nodes.filter(({ inputs }) => inputs.includes(name))).toEqual([each])
      expect(nodes.some(({ outputs: made }) => made.includes(name))).toBe(true)
    }
  }
})

test('gradients of rows that are gathered again and again are exact, at two threads, every time', async () => {
  const [rows, picks] = [50, 4000]
  const table = input('table', 'float32', [rows, 8])
  const indices = input('indices', 'int64', [picks])
  const deep = input('deep', 'int64', [picks, 1])
  const [byGather] = differentiate(table.gather(indices).sum(), [table])
  const [byGatherND] = differentiate(apply('GatherND', [table, deep])[0]!.sum(), [table])
  const program = await compile({ byGather: byGather!, byGatherND: byGatherND! }, { threads: 2 })
  const { integer } = random(0, 'indices')
  const drawn = BigInt64Array.from({ length: picks }, () => BigInt(integer(rows)))
  const counts = Array.from({ length: rows * 8 }, (_, i) => drawn.filter((each) => Number(each) === i >> 3).length)
  const feeds: Record<string, Tensor> = {
    table: { dtype: 'float32', shape: [rows, 8], data: new Float32Array(rows * 8) },
    indices: { dtype: 'int64', shape: [picks], data: drawn },
    deep: { dtype: 'int64', shape: [picks, 1], data: drawn },
  }
  for (let i = 0; i < 50; i++) {
    const found = await program.run(feeds)
    expect(Array.from(found.byGather!.data, Number)).toEqual(counts)
    expect(Array.from(found.byGatherND!.data, Number)).toEqual(counts)
  }
  await program.release()
})

test('an output that overlaps an input, and one subarray another, is refused', async () => {
  const x = input('x', 'float32', [4])
  const program = await compile({ y: x.add(1) })
  const buffer = new Float32Array(10)
  const tensor = (from: number): Tensor => ({ dtype: 'float32', shape: [4], data: buffer.subarray(from, from + 4) })
  await expect(program.run({ x: tensor(0) }, { y: tensor(3) })).rejects.toThrow(
    /output y would be written over the input x/,
  )
  await expect(program.run({ x: tensor(0) }, { y: tensor(0) })).rejects.toThrow(/memory of its own/)
  buffer.fill(2)
  await program.run({ x: tensor(0) }, { y: tensor(4) })
  expect([...buffer]).toEqual([2, 2, 2, 2, 3, 3, 3, 3, 2, 2])
  await program.release()
})

test('steps are the same to the bit for one to three threads', async () => {
  const after = async (threads: number) => {
    const [encoder] = encoders as [(typeof encoders)[number]]
    const step = createStep({
      encoder,
      loss: triplet(),
      optimizer: adam(),
      variables: encoder.variables(0),
      largestClass: 3,
      threads,
    })
    const { integer } = random(0, 'pixels')
    for (let i = 0; i < 20; i++) {
      const data = Uint8Array.from({ length: 12 * 144 }, () => integer(256))
      const labels = Int32Array.from({ length: 12 }, (_, row) => Math.floor(row / 3))
      await step.run([{ inputs: { pixels: { dtype: 'uint8', shape: [12, 1, 12, 12], data } }, labels }], 0.003)
    }
    const variables = Object.values(await step.variables()).map(({ data }) => [...data])
    await step.release()
    return variables
  }
  const one = await after(1)
  expect(await after(2)).toEqual(one)
  expect(await after(3)).toEqual(one)
})

test('memory shared between threads is refused, not read wrongly', async () => {
  const program = await compile({ y: input('x', 'float32', [4]).add(1) })
  const data = new Float32Array(new SharedArrayBuffer(16)) as unknown as Float32Array
  const run = program.run({ x: { dtype: 'float32', shape: [4], data } })
  const found = await run.then(
    ({ y }) => Array.from(y!.data, Number),
    (error: Error) => error.message,
  )
  if (typeof found === 'string') expect(found).toMatch(/^ONNX Runtime failed/)
  else expect(found).toEqual([1, 1, 1, 1])
  await program.release()
})

test('tuples, too, emit nothing of the kind', () => {
  const part = (name: string): Value => input(name, 'float32', [5, 6])
  const examples = {
    kind: 'tuples',
    anchor: part('a'),
    positive: part('p'),
    negative: part('n'),
    secondNegative: part('o'),
  } as const
  const { value } = quadruplet().build(examples)
  const gradients = differentiate(value, [examples.anchor, examples.secondNegative])
  const { nodes } = toModel({ value, byAnchor: gradients[0]!, bySecond: gradients[1]! }).graph
  expect(nodes.map(({ operator }) => operator).join()).not.toMatch(/ScatterND|Dropout|Random/)
})
