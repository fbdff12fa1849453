/** Nodes of older operator sets in the form that operator set 21 gives them, and what every node's attributes say. */
import { DataError } from '../errors.ts'
import { type Attribute, attributeTypes, dataTypes, type Node, type Tensor } from './schema.ts'

/** The oldest operator set whose files are read, the one that nodes are brought to, and the newest. */
export const operatorSets = { oldest: 13, own: 21, newest: 26 } as const

export interface Upgraded {
  readonly nodes: Node[]
  /** What used to be attributes and are inputs now. */
  readonly initializers: Tensor[]
}

/**
 * The nodes of a graph of operator set `version`, in the form of operator set 21 or of their own if that is newer.
 *
 * @throws DataError for a version that is not read, or a node whose meaning changed in a way that its new form cannot say.
 */
export function upgrade(nodes: readonly Node[], version: number): Upgraded {
  const { oldest, newest } = operatorSets
  if (version < oldest || version > newest) {
    throw new DataError(
      `The file uses ONNX's operator set ${version}; expected ${oldest} to ${newest}. Export it again with opset_version=${Math.min(Math.max(version, oldest), newest)}.`,
    )
  }
  const initializers: Tensor[] = []
  function listed(node: Node, what: string, values: readonly number[]): string {
    const name = `${node.outputs[0]} ${what}`
    initializers.push(int64Tensor(name, values))
    return name
  }
  const upgraded = nodes.map((node): Node => {
    if (!isStandard(node)) return node
    if (version < 18 && reductionsWithAxes.has(node.operator)) {
      const axes = attributeOf(node, 'axes')?.ints
      const inputs = axes ? [node.inputs[0]!, listed(node, 'axes', axes)] : node.inputs
      return { ...node, inputs, attributes: without(node, 'axes') }
    }
    if (version < 18 && node.operator === 'Split' && node.inputs.length < 2) {
      return { ...node, attributes: [...node.attributes, int('num_outputs', node.outputs.length)] }
    }
    // Before 14, outputs besides the first were what said that statistics are those of the batch.
    if (version < 14 && node.operator === 'BatchNormalization' && node.outputs.length > 1) {
      return { ...node, outputs: node.outputs.slice(0, 3), attributes: [...node.attributes, int('training_mode', 1)] }
    }
    if (version < 21 && node.operator === 'GroupNormalization') {
      throw new DataError(
        `GroupNormalization (${node.name}) has one scale for each group in operator set ${version}. Export the model again with opset_version=21.`,
      )
    }
    return node
  })
  return { nodes: upgraded, initializers }
}

/** ReduceSum took its axes as an input from 13 on, the others from 18. */
const reductionsWithAxes = new Set([
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceSumSquare',
])

/** Whether a node is of the standard ONNX domain. */
export function isStandard({ domain = '' }: { readonly domain?: string }): boolean {
  return domain === '' || domain === 'ai.onnx'
}

/** The operator's name, with its domain if that is not ONNX's own. */
export function fullName(node: Node): string {
  return isStandard(node) ? node.operator : `${node.domain}.${node.operator}`
}

export function attributeOf({ attributes }: Node, name: string): Attribute | undefined {
  return attributes.find((each) => each.name === name)
}

/** The tensor that a Constant node gives; undefined if it is of a kind that is not read (strings, sparse). */
export function constantOf(node: Node): Tensor | undefined {
  const [attribute] = node.attributes
  switch (attribute?.name) {
    case 'value':
      return attribute.tensor && { ...attribute.tensor, name: node.outputs[0]! }
    case 'value_int':
      return { ...int64Tensor(node.outputs[0]!, [attribute.int ?? 0]), dimensions: [] }
    case 'value_ints':
      return int64Tensor(node.outputs[0]!, attribute.ints)
    case 'value_float':
      return { ...floatTensor(node.outputs[0]!, [attribute.float ?? 0]), dimensions: [] }
    case 'value_floats':
      return floatTensor(node.outputs[0]!, attribute.floats)
    default:
      return undefined
  }
}

/** A node that gives a tensor. */
export function constantNode(tensor: Tensor): Node {
  const value = { name: 'value', type: attributeTypes.tensor, tensor, floats: [], ints: [], strings: [] }
  return { name: '', operator: 'Constant', inputs: [], outputs: [tensor.name ?? ''], attributes: [value] }
}

const noData = { floatData: [], int32Data: [], int64Data: [], doubleData: [], uint64Data: [], externalData: [] }

function int64Tensor(name: string, values: readonly number[]): Tensor {
  return { ...noData, name, dimensions: [values.length], dataType: dataTypes.int64, int64Data: [...values] }
}

function floatTensor(name: string, values: readonly number[]): Tensor {
  return { ...noData, name, dimensions: [values.length], dataType: dataTypes.float32, floatData: [...values] }
}

function int(name: string, value: number): Attribute {
  return { name, type: attributeTypes.int, int: value, floats: [], ints: [], strings: [] }
}

function without({ attributes }: Node, name: string): Attribute[] {
  return attributes.filter((each) => each.name !== name)
}
