/** An imported graph as values, for inputs of given shapes. */
import { DataError, GraphError } from '../../errors.ts'
import { apply, Value } from '../../graph/value.ts'
import type { Node } from '../../onnx/schema.ts'
import { attributeOf, fullName } from '../../onnx/upgrade.ts'
import { describe, size, type Tensor, toTypedArray } from '../../tensor.ts'
import { dropout, type Mask, mask } from '../dropout.ts'
import type { Mode, Values } from '../encoder.ts'
import { batchNormalized } from '../layers.ts'
import { attributesOf } from './attributes.ts'
import { checkGrowth, fold, grows, type RunOnce } from './fold.ts'
import { followsBatch, type ImportedGraph, integerOf } from './graph.ts'
import { operandsOf } from './operands.ts'
import { asksForShape, staticValues } from './static.ts'

export interface Lowered {
  readonly output: Value
  /** The new running statistics. */
  readonly state: Values
  /** What dropout multiplies with. */
  readonly masks: readonly Mask[]
}

/**
 * Builds the graph of `inputs` and `variables`. What depends on shapes and settings alone is computed by `run` on the way,
 * as often as a shape is needed for which another one has to be known first.
 *
 * @throws DataError that names the node where shapes or types do not fit, or a shape depends on what is fed.
 */
export async function lower(
  graph: ImportedGraph,
  inputs: Values,
  variables: Values,
  mode: Mode,
  run: RunOnce,
): Promise<Lowered> {
  const settled = staticValues(graph)
  const known = new Map<string, Tensor>(graph.settings)
  const values = new Map<string, Value>(Object.entries({ ...variables, ...inputs }))
  for (const [name, tensor] of graph.frozen) values.set(name, toConstant(tensor))
  const masks: Mask[] = []
  const state: Record<string, Value> = {}
  let waiting = graph.nodes

  /** The value of a name, if it can be had already. */
  function available(name: string): Value | undefined {
    const value = values.get(name)
    if (value || !known.has(name)) return value
    const made = toConstant(checked(name, known.get(name)!))
    values.set(name, made)
    return made
  }

  /** Builds what can be built; returns the nodes that wait for something. */
  function build(nodes: readonly Node[]): Node[] {
    return nodes.filter((node) => {
      if (asksForShape(node)) {
        const of = values.get(node.inputs[0]!) ?? known.get(node.inputs[0]!)
        if (of) known.set(node.outputs[0]!, shapeTensor(node, of.shape))
        return !of
      }
      if (node.outputs.every((name) => settled.has(name))) return true
      const operands = node.inputs.map((name) => (name === '' ? undefined : available(name)))
      if (operands.some((operand, i) => !operand && node.inputs[i] !== '')) return true
      const outputs = buildNode(node, operands)
      node.outputs.forEach((name, i) => {
        if (outputs[i]) values.set(name, outputs[i])
      })
      return false
    })
  }

  function buildNode(node: Node, operands: readonly (Value | undefined)[]): readonly Value[] {
    try {
      if (followsBatch(node)) return normalizeBatch(node, operands as Value[])
      if (node.operator !== 'Dropout') {
        return apply(node.operator, operandsOf(node, operands), attributesOf(node, operands))
      }
      const [x] = operands as [Value]
      const ratio = mode === 'train' ? ratioOf(node, known) : 0
      if (ratio === 0) return [x]
      masks.push(mask(`mask ${masks.length}`, x.shape, ratio))
      return [dropout(x, masks.at(-1)!)]
    } catch (error) {
      if (!(error instanceof GraphError)) throw error
      throw new DataError(`${fullName(node)} (${node.name || node.outputs[0]}) cannot be built. ${error.message}`)
    }
  }

  function normalizeBatch(node: Node, operands: readonly Value[]): readonly Value[] {
    const [x, scale, shift, mean, variance] = operands as [Value, Value, Value, Value, Value]
    const [epsilon, momentum] = [
      attributeOf(node, 'epsilon')?.float ?? 1e-5,
      attributeOf(node, 'momentum')?.float ?? 0.9,
    ]
    if (mode === 'infer') return apply('BatchNormalization', operands, { epsilon })
    // ONNX's momentum is the share that stays.
    const normalized = batchNormalized(x, scale, shift, { mean, variance }, { momentum: 1 - momentum, epsilon })
    state[node.inputs[3]!] = normalized.mean
    state[node.inputs[4]!] = normalized.variance
    return [normalized.output]
  }

  while (waiting.length > 0) {
    const rest = build(waiting)
    if (rest.length === 0) break
    const { ready, later } = readyNodes(rest, settled, known)
    if (ready.length === 0 && rest.length === waiting.length) throw stuck(rest[0]!, values, known)
    if (ready.length > 0) {
      const made = new Set(ready.flatMap(({ outputs }) => outputs))
      const used = new Set([graph.output, ...later.flatMap(({ inputs }) => inputs)])
      const wanted = [...made].filter((name) => used.has(name))
      for (const [name, tensor] of Object.entries(await fold(ready, known, wanted, graph.operatorSet, run)))
        known.set(name, tensor)
    }
    waiting = later
  }
  const output = available(graph.output)
  if (!output) throw new DataError(`The output ${graph.output} is none of the results that its node has here.`)
  return { output, state, masks }
}

/** The static nodes whose inputs are known or come of such nodes, and the others. */
function readyNodes(nodes: readonly Node[], settled: ReadonlySet<string>, known: ReadonlyMap<string, Tensor>) {
  const made = new Set<string>()
  const ready: Node[] = []
  const later = nodes.filter((node) => {
    const isReady =
      !asksForShape(node) &&
      node.outputs.every((name) => settled.has(name)) &&
      node.inputs.every((name) => name === '' || known.has(name) || (made.has(name) && !grows(node)))
    if (isReady) {
      if (grows(node)) checkGrowth(node, known)
      ready.push(node)
      for (const name of node.outputs) made.add(name)
    }
    return !isReady
  })
  return { ready, later }
}

/** Operators that take shapes, axes or counts say so themselves; this is for values that nothing gives. */
function stuck(node: Node, values: ReadonlyMap<string, Value>, known: ReadonlyMap<string, Tensor>): DataError {
  const missing = node.inputs.filter((name) => name !== '' && !values.has(name) && !known.has(name))
  return new DataError(
    `${fullName(node)} (${node.name || node.outputs[0]}) needs ${missing.join(', ')}, which no node gives here.`,
  )
}

function checked(name: string, tensor: Tensor): Tensor {
  if (tensor.data instanceof Float32Array || ['int32', 'int64', 'uint8', 'bool'].includes(tensor.dtype)) return tensor
  throw new DataError(
    `The constant ${name} is ${describe(tensor)}; expected float32, integers or bool. Export the model in float32.`,
  )
}

function toConstant(tensor: Tensor): Value {
  return new Value(tensor, { kind: 'constant', tensor })
}

/** The share of elements that a Dropout node drops; half of them where it does not say, as ONNX has it. */
function ratioOf(node: Node, known: ReadonlyMap<string, Tensor>): number {
  const name = node.inputs[1] ?? ''
  return name === '' ? 0.5 : Number(known.get(name)?.data[0])
}

/** What Shape (from `start` to `end`) or Size says of a shape. */
function shapeTensor(node: Node, shape: readonly number[]): Tensor {
  if (node.operator === 'Size') return { dtype: 'int64', shape: [], data: toTypedArray('int64', [size(shape)]) }
  const end = attributeOf(node, 'end')?.int
  const part = shape.slice(integerOf(node, 'start', 0), end)
  return { dtype: 'int64', shape: [part.length], data: toTypedArray('int64', part) }
}
