/** From values to an ONNX model: every node that they need, in the order in which the nodes were made. */
import { GraphError } from '../errors.ts'
import {
  type Attribute,
  attributeTypes,
  dataTypes,
  type Model,
  type Node as OnnxNode,
  type Tensor as OnnxTensor,
  type ValueInfo,
} from '../onnx/schema.ts'
import type { Tensor, TensorType } from '../tensor.ts'
import type { Node } from './node.ts'
import type { Value } from './value.ts'

/** Any runtime of the last years takes these; nothing newer is needed. */
const OPERATOR_SET = 21
const IR_VERSION = 10

/** Attributes that ONNX declares as floats: a whole number in JavaScript does not show it. */
const floatAttributes = new Set([
  ...['alpha', 'beta', 'epsilon', 'gamma', 'momentum'],
  ...['cubic_coeff_a', 'extrapolation_value'],
])

/** Operators whose later outputs are left out where nobody asks: its indices keep MaxPool from its fast path. */
const optionalOutputs = new Set(['MaxPool', 'LayerNormalization'])

/** Constants up to this many bytes are shared where they are equal. */
const SHARED_BYTES = 64

/** What a model needs to know of its graph besides the values. */
export interface ModelOptions {
  /** A name for the first axis of every input and output, where any extent will do there. */
  readonly freeAxis?: string
}

/** The model that computes `outputs`, by name, from the input values that they depend on. */
export function toModel(outputs: Readonly<Record<string, Value>>, { freeAxis }: ModelOptions = {}): Model {
  const { nodes, inputs } = reach(Object.values(outputs))
  const used = new Set([...Object.values(outputs), ...nodes.flatMap((node) => node.inputs)])
  const isWritten = (output: Value, k: number) =>
    k === 0 || used.has(output) || !optionalOutputs.has(output.node!.operator)
  const names = new Map<Value, string>()
  const initializers: OnnxTensor[] = []
  const shared = new Map<string, string>()

  /** A name of this graph's own, unless somebody gave it to an input or an output. */
  function free(name: string): string {
    return inputs.has(name) || Object.hasOwn(outputs, name) ? free(`${name}_`) : name
  }

  function nameOf(value: Value | undefined): string {
    if (!value) return ''
    const known = names.get(value)
    if (known !== undefined) return known
    if (value.source.kind !== 'constant') throw new GraphError('A value was used before its node was written.')
    const name = addConstant(value.source.tensor)
    names.set(value, name)
    return name
  }

  function addConstant(tensor: Tensor): string {
    const { dtype, shape, data } = tensor
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const key = bytes.length <= SHARED_BYTES ? `${dtype} ${shape.join()} ${bytes.join()}` : undefined
    const same = key !== undefined ? shared.get(key) : undefined
    if (same !== undefined) return same
    const name = free(`c${initializers.length}`)
    initializers.push(toInitializer(name, tensor))
    if (key !== undefined) shared.set(key, name)
    return name
  }

  for (const name of Object.keys(outputs)) {
    if (inputs.has(name)) throw new GraphError(`An input and an output of one graph are both named ${name}.`)
  }
  const outputNames = new Map(Object.entries(outputs).map(([name, value]) => [value, name]))
  for (const [name, value] of inputs) names.set(value, name)
  const written = nodes.map((node, i): OnnxNode => {
    for (const [k, output] of node.outputs.entries()) {
      names.set(output, outputNames.get(output) ?? free(`v${i}${k ? `_${k}` : ''}`))
    }
    const [domain, operator] = splitDomain(node.operator)
    return {
      name: `${operator}_${i}`,
      operator,
      ...(domain && { domain }),
      inputs: trimmed(node.inputs.map(nameOf)),
      outputs: trimmed(node.outputs.map((output, k) => (isWritten(output, k) ? names.get(output)! : ''))),
      attributes: attributesOf(node),
    }
  })
  for (const [name, value] of Object.entries(outputs)) {
    if (names.get(value) === name) continue
    written.push({ name, operator: 'Identity', inputs: [nameOf(value)], outputs: [name], attributes: [] })
  }

  return {
    irVersion: IR_VERSION,
    producerName: 'isometry',
    operatorSets: [{ version: OPERATOR_SET }, ...domainsOf(written)],
    metadata: [],
    graph: {
      name: 'isometry',
      nodes: written,
      initializers,
      inputs: [...inputs].map(([name, value]) => toValueInfo(name, value, freeAxis)),
      outputs: Object.entries(outputs).map(([name, value]) => toValueInfo(name, value, freeAxis)),
      values: [],
    },
  }
}

/** All nodes and inputs that values depend on. */
export function reach(values: readonly Value[]): { nodes: Node[]; inputs: Map<string, Value> } {
  const nodes = new Set<Node>()
  const inputs = new Map<string, Value>()
  const pending = [...values]
  while (pending.length > 0) {
    const value = pending.pop()!
    if (value.source.kind === 'input') {
      const other = inputs.get(value.source.name)
      if (other && other !== value) throw new GraphError(`Two inputs of one graph are named ${value.source.name}.`)
      inputs.set(value.source.name, value)
    } else if (value.node && !nodes.has(value.node)) {
      nodes.add(value.node)
      for (const each of value.node.inputs) if (each) pending.push(each)
    }
  }
  return {
    nodes: [...nodes].sort((a, b) => a.number - b.number),
    inputs: new Map([...inputs].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** `com.example.Conv` as `com.example` and `Conv`; the domain of ONNX's own is empty. */
function splitDomain(operator: string): [domain: string, operator: string] {
  const end = operator.lastIndexOf('.')
  return [operator.slice(0, Math.max(end, 0)), operator.slice(end + 1)]
}

function domainsOf(nodes: readonly OnnxNode[]): { domain: string; version: number }[] {
  const domains = new Set(nodes.flatMap(({ domain }) => domain ?? []))
  return [...domains].map((domain) => ({ domain, version: 1 }))
}

/** Names that are left out at the end need no place of their own. */
function trimmed(names: readonly string[]): string[] {
  return names.slice(0, names.findLastIndex((name) => name !== '') + 1)
}

export function toInitializer(name: string, { dtype, shape, data }: Tensor): OnnxTensor {
  return {
    name,
    dimensions: [...shape],
    dataType: dataTypes[dtype],
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    floatData: [],
    int32Data: [],
    int64Data: [],
    doubleData: [],
    uint64Data: [],
    externalData: [],
  }
}

function toValueInfo(name: string, { dtype, shape }: TensorType, freeAxis: string | undefined): ValueInfo {
  const dimensions = shape.map((extent, i) => (i === 0 && freeAxis ? { parameter: freeAxis } : { value: extent }))
  return { name, type: { tensor: { elementType: dataTypes[dtype], shape: { dimensions } } } }
}

function attributesOf(node: Node): Attribute[] {
  return Object.entries(node.attributes).map(([name, value]): Attribute => {
    const attribute = { name, floats: [], ints: [], strings: [] }
    if (node.operator === 'Cast') {
      return { ...attribute, name: 'to', type: attributeTypes.int, int: dataTypes[value as keyof typeof dataTypes] }
    }
    if (typeof value === 'string') {
      return { ...attribute, type: attributeTypes.string, string: new TextEncoder().encode(value) }
    }
    if (typeof value === 'object') return { ...attribute, type: attributeTypes.ints, ints: [...value] }
    if (floatAttributes.has(name)) return { ...attribute, type: attributeTypes.float, float: value as number }
    return { ...attribute, type: attributeTypes.int, int: value as number }
  })
}
