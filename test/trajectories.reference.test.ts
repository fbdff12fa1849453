/** Encoders that PyTorch exported, trained for twelve steps: the losses and parameters that PyTorch gets. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { takesImages } from '../src/encoders/encoder.ts'
import { triplet } from '../src/losses/index.ts'
import { readEncoder } from '../src/model/read-encoder.ts'
import { readModel, writeModel } from '../src/onnx/codec.ts'
import { adam } from '../src/optimizers/index.ts'
import { open } from '../src/runtime/node.ts'
import { type DType, type Tensor, toTypedArray } from '../src/tensor.ts'
import { createStep } from '../src/training/step.ts'
import { readReference, readReferenceFile, referenceFolder, report } from './reference.ts'

interface Data {
  shape: number[]
  dtype: string
  data: number[]
}
interface Trajectory {
  labels: number[]
  steps: { inputs: Record<string, Data>; loss: number }[]
  parametersAfter: Record<string, { shape: number[]; sum: number; norm: number }>
}

const dtypes: Record<string, DType> = { float: 'float32', int64: 'int64' }
const names = readdirSync(join(referenceFolder, 'training'))
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.slice(0, -'.onnx'.length))

function toTensor({ shape, dtype, data }: Data): Tensor {
  return { dtype: dtypes[dtype]!, shape, data: toTypedArray(dtypes[dtype]!, data) }
}

/** Exporters may give a transposed weight a name of their own; the parameter's bias beside it in the graph still has its. */
function parameterNamed(name: string, variables: Readonly<Record<string, { data: Float32Array }>>, file: string) {
  if (variables[name]) return variables[name]
  const { nodes } = readModel(readReferenceFile(`training/${file}.onnx`)).graph
  const bias = name.replace(/weight$/, 'bias')
  const sum = nodes.find(({ operator, inputs }) => operator === 'Add' && inputs.includes(bias))
  const product = nodes.find(({ outputs }) => sum?.inputs.includes(outputs[0]!))
  const weight = product?.inputs.find((each) => variables[each])
  expect(weight, `${file}: the parameter ${name}`).toBeDefined()
  return variables[weight!]!
}

test.each(names)('%s follows PyTorch step by step', async (file) => {
  const { labels, steps, parametersAfter } = readReference<Trajectory>(`training/${file}.json`)
  // The reference feeds images that are normalised already.
  const encoder = await readEncoder(join(referenceFolder, 'training', `${file}.onnx`), { mean: 0, std: 1 / 255 })
  const counts = labels.map((label) => labels.filter((each) => each === label).length)
  const step = createStep({
    encoder,
    loss: triplet({ margin: 0.2 }),
    optimizer: adam(),
    variables: encoder.variables(0),
    largestClass: Math.max(...counts),
    threads: 2,
  })
  for (const [i, { inputs, loss }] of steps.entries()) {
    const fed = Object.entries(inputs).map(([name, data]) => [takesImages(encoder) ? 'pixels' : name, toTensor(data)])
    const found = await step.run([{ inputs: Object.fromEntries(fed), labels: Int32Array.from(labels) }], 0.003)
    expect(Math.abs(found.loss / loss - 1), `${file}, step ${i + 1}: ${found.loss} against ${loss}`).toBeLessThan(1e-3)
  }
  const variables = await step.variables()
  for (const [name, { sum, norm }] of Object.entries(parametersAfter)) {
    const { data } = parameterNamed(name, variables, file)
    const found = { sum: data.reduce((a, b) => a + b, 0), norm: Math.hypot(...data) }
    expect(Math.abs(found.norm / norm - 1), `${file}, ${name}: norm ${found.norm} against ${norm}`).toBeLessThan(1e-3)
    // A sum of numbers of both signs is small beside them: it is held against the norm.
    const slack = 1e-3 * norm * Math.sqrt(data.length)
    expect(Math.abs(found.sum - sum), `${file}, ${name}: sum ${found.sum} against ${sum}`).toBeLessThan(slack)
  }
  await step.release()
  report(`trajectory of ${file}`, { steps: steps.length, parameters: Object.keys(parametersAfter).length })
})

test.each(names)('%s written back gives the outputs of the file', async (file) => {
  // The runtime runs both files, on the first batch of the reference.
  const path = join(referenceFolder, 'training', `${file}.onnx`)
  const encoder = await readEncoder(path, { mean: 0, std: 1 / 255 })
  const { steps } = readReference<Trajectory>(`training/${file}.json`)
  const feeds = Object.fromEntries(Object.entries(steps[0]!.inputs).map(([name, data]) => [name, toTensor(data)]))
  const original = await open(readReferenceFile(`training/${file}.onnx`))
  const written = await open(writeModel(encoder.toModel!(encoder.variables(0), (embedding) => embedding)))
  const expected = (await original.run(feeds)).embedding!
  for (const rows of [expected.shape[0]!, 3]) {
    const some = Object.entries(feeds).map(([name, { dtype, shape, data }]) => {
      const part = data.subarray(0, (data.length / shape[0]!) * rows)
      return [takesImages(encoder) ? 'pixels' : name, { dtype, shape: shape.with(0, rows), data: part }]
    })
    const { embedding } = await written.run(Object.fromEntries(some))
    expect(embedding!.shape).toEqual([rows, encoder.dimension])
    const largest = Math.max(
      ...Array.from(embedding!.data as Float32Array, (x, i) => Math.abs(x - Number(expected.data[i]))),
    )
    expect(largest).toBeLessThanOrEqual(takesImages(encoder) ? 2e-6 : 0)
  }
  await original.release()
  await written.release()
})
