/** A metric that somebody wrote, as a graph of its own beside the encoder, and back: it reloads like ours. */
import { compile } from '../compile.ts'
import { attributesOf } from '../encoders/imported/attributes.ts'
import { DataError, GraphError, UsageError } from '../errors.ts'
import { substitute } from '../graph/substitute.ts'
import { toModel } from '../graph/to-onnx.ts'
import { apply, input, Value } from '../graph/value.ts'
import { metricsByName } from '../metrics/by-name.ts'
import type { Metric } from '../metrics/metric.ts'
import { readModel, writeModel } from '../onnx/codec.ts'
import type { Model, ValueInfo } from '../onnx/schema.ts'
import { dtypeOf, toPlain } from '../onnx/tensors.ts'
import { random } from '../random.ts'
import { describe, size, type Tensor } from '../tensor.ts'

/** The axes of the file, by the names of inputs and outputs; a name stands for any extent. */
const axes: Readonly<Record<string, readonly string[]>> = {
  left: ['pairs'],
  right: ['pairs'],
  pairwise: ['pairs'],
  rows: ['n'],
  columns: ['m'],
  matrix: ['n', 'm'],
}

/** How many rows graphs are built for; nothing of a metric may depend on it. */
const BUILT = { pairs: 2, n: 2, m: 3 }
/** How many it is tried with. */
const TRIED = { pairs: 4, n: 5, m: 7 }

type Extents = typeof BUILT

/**
 * The metric as an ONNX model: inputs `left` and `right` [pairs, d] give `pairwise` [pairs], `rows` [n, d] and `columns`
 * [m, d] give `matrix` [n, m], with any number of rows. Undefined for one of ours, which its name says all about.
 *
 * @throws UsageError if it has the name of one of ours, its distances are not of the shapes that they should be, or it was
 *   built for one number of rows.
 */
export async function exportMetric(metric: Metric, dimension: number): Promise<Uint8Array | undefined> {
  const { name, range, directional, triangle } = metric
  if (metricsByName.get(name) === metric) return undefined
  if (metricsByName.has(name)) {
    throw new UsageError(
      `This metric is named ${name}, and is another than ours of that name. Give it a name of its own.`,
    )
  }
  const model = toModel(distances(metric, dimension, BUILT))
  const entries = { name, range: range.join(' '), directional, triangle }
  const bytes = writeModel({
    ...model,
    metadata: Object.entries(entries).map(([key, value]) => ({ key, value: String(value) })),
    graph: { ...model.graph, inputs: model.graph.inputs.map(opened), outputs: model.graph.outputs.map(opened) },
  })
  await compare(metric, readMetric(bytes, name), dimension)
  return bytes
}

/**
 * The metric of a file that `exportMetric` wrote. Gradients flow through it, also where the metric once stopped them.
 *
 * @param file names it in messages.
 * @throws DataError if it is none.
 */
export function readMetric(bytes: Uint8Array, file: string): Metric {
  const model = readModel(bytes)
  const said = new Map(model.metadata.map(({ key, value }) => [key, value]))
  const range = (said.get('range') ?? '').split(' ').map(Number)
  const values = valuesOf(model, file)
  const missing = Object.keys(axes).find((name) => !values.has(name))
  if (missing || range.length !== 2 || range.some(Number.isNaN)) {
    throw new DataError(`${file} is no metric: it has no ${missing ?? 'range'}. Save the model again.`)
  }
  const between = (output: string, first: string, second: string) => (a: Value, b: Value) =>
    substitute(
      { distances: values.get(output)! },
      new Map([
        [values.get(first)!, a],
        [values.get(second)!, b],
      ]),
    ).distances!
  return {
    name: said.get('name') ?? '',
    range: range as [number, number],
    directional: said.get('directional') === 'true',
    triangle: said.get('triangle') === 'true',
    pairwise: between('pairwise', 'left', 'right'),
    matrix: between('matrix', 'rows', 'columns'),
  }
}

function distances(metric: Metric, dimension: number, { pairs, n, m }: Extents): Record<string, Value> {
  const rows = (name: string, count: number) => input(name, 'float32', [count, dimension])
  const found = {
    pairwise: metric.pairwise(rows('left', pairs), rows('right', pairs)),
    matrix: metric.matrix(rows('rows', n), rows('columns', m)),
  }
  for (const [name, expected] of Object.entries({ pairwise: [pairs], matrix: [n, m] })) {
    const value = found[name as keyof typeof found]
    if (value.dtype === 'float32' && value.shape.join() === expected.join()) continue
    throw new UsageError(
      `The metric ${metric.name} gives ${describe(value)} for ${name}; expected float32 [${expected.join(', ')}].`,
    )
  }
  return found
}

function opened({ name, type }: ValueInfo): ValueInfo {
  const { elementType, shape } = type!.tensor!
  const dimensions = shape!.dimensions.map((extent, i) => {
    const parameter = axes[name]![i]
    return parameter === undefined ? extent : { parameter }
  })
  return { name, type: { tensor: { elementType, shape: { dimensions } } } }
}

/** The values of a graph that we wrote, by name. */
function valuesOf({ graph }: Model, file: string): Map<string, Value> {
  const damaged = (what: string) => new DataError(`${file} is damaged: ${what}. Save the model again.`)
  const values = new Map<string, Value>()
  for (const initializer of graph.initializers) {
    const tensor = toPlain(initializer)
    if (!tensor) throw damaged(`${initializer.name} is of a type that no graph holds`)
    values.set(initializer.name!, new Value(tensor, { kind: 'constant', tensor }))
  }
  for (const { name, type } of graph.inputs) {
    const { elementType, shape } = type?.tensor ?? {}
    const extents = (shape?.dimensions ?? []).map(({ value, parameter }) => value ?? BUILT[parameter as keyof Extents])
    values.set(name, input(name, dtypeOf(elementType) ?? 'float32', extents))
  }
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : values.get(name)))
    const missing = node.inputs.find((name, i) => name !== '' && !inputs[i])
    if (missing !== undefined) throw damaged(`nothing gives ${missing}`)
    try {
      const outputs = apply(node.operator, inputs, attributesOf(node, inputs))
      node.outputs.forEach((name, i) => {
        if (outputs[i]) values.set(name, outputs[i])
      })
    } catch (error) {
      if (error instanceof GraphError) throw damaged(error.message.replace(/\.$/, ''))
      throw error
    }
  }
  return values
}

/** @throws UsageError if the metric and what was kept of it differ for other numbers of rows than it was kept with. */
async function compare(metric: Metric, kept: Metric, dimension: number): Promise<void> {
  const { uniforms } = random(0, metric.name)
  const expected = distances(metric, dimension, TRIED)
  const fixed = (what: string) =>
    new UsageError(
      `The metric ${metric.name} cannot be kept with a model: what was built for ${BUILT.n} and ${BUILT.m} rows ${what} for ${TRIED.n} and ${TRIED.m}. Broadcast, or give extents as −1, in place of numbers of rows.`,
    )
  let found: Record<string, Value>
  try {
    found = distances(kept, dimension, TRIED)
  } catch (error) {
    if (error instanceof GraphError || error instanceof UsageError) throw fixed('does not fit')
    throw error
  }
  const feeds = Object.fromEntries(
    Object.entries({ left: TRIED.pairs, right: TRIED.pairs, rows: TRIED.n, columns: TRIED.m }).map(
      ([name, count]): [string, Tensor] => {
        const shape = [count, dimension]
        return [name, { dtype: 'float32', shape, data: uniforms(size(shape), -1, 1) }]
      },
    ),
  )
  const [one, other] = await Promise.all(
    [expected, found].map(async (outputs) => {
      const program = await compile(outputs, { threads: 1 })
      try {
        return await program.run(feeds)
      } finally {
        await program.release()
      }
    }),
  )
  for (const [name, { data }] of Object.entries(one!)) {
    const others = other![name]!.data
    const differs = Array.from(data as Float32Array).some((x, i) => {
      const y = Number(others[i])
      return !Object.is(x, y) && !(Math.abs(x - y) <= 1e-6 + 1e-5 * Math.abs(x))
    })
    if (differs) throw fixed('gives other distances')
  }
}
