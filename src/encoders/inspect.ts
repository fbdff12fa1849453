/** What is in an ONNX file: what goes in and out, its parameters, and which of its operators gradients flow through. */
import { gradients } from '../graph/gradients/table.ts'
import { operators } from '../graph/operators/table.ts'
import { readModel } from '../onnx/codec.ts'
import { dataTypes, type Graph, type ValueInfo } from '../onnx/schema.ts'
import { checkTensor, typeNames } from '../onnx/tensors.ts'
import { size } from '../tensor.ts'
import { replaced, withoutGradient } from './imported/static.ts'

export interface Inspection {
  /** Name and version of what wrote the file; empty if it does not say. */
  readonly producer: string
  /** The version of ONNX's operators. */
  readonly operatorSet: number
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** Float32 initialisers with at least one axis: what training could change. */
  readonly parameters: readonly Parameter[]
  /** How many numbers they hold together. */
  readonly parameterCount: number
  readonly operators: readonly OperatorUse[]
  /** The results of all nodes, in the order of the file: each can be taken for the output. */
  readonly values: readonly { readonly name: string; readonly operator: string }[]
}

/** A name stands for an extent that is open. */
export interface Port {
  readonly name: string
  readonly type: string
  readonly shape: readonly (number | string)[]
}

export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
}

export interface OperatorUse {
  readonly operator: string
  /** How many nodes of the file are of it. */
  readonly nodes: number
  /** `none`: it computes shapes, constants or conditions, which no gradient flows through. */
  readonly gradient: 'yes' | 'none' | 'unknown'
  /** The first such node, where the gradient is not known. */
  readonly node?: string
}

/** They make constants of shapes and attributes. */
const shapesAndConstants = new Set(['Constant', 'ConstantOfShape', 'Range', 'Shape', 'Size', 'OneHot', 'NonZero'])

/**
 * Looks into the bytes of an ONNX file; data outside of the file are not read.
 *
 * @throws DataError if they are not an ONNX model, an initialiser's data do not fill its shape, or data are said to lie
 *   outside of the model's directory.
 */
export function inspect(bytes: Uint8Array): Inspection {
  const { graph, operatorSets, producerName = '', producerVersion = '' } = readModel(bytes)
  for (const initializer of graph.initializers) checkTensor(initializer)
  const given = new Set(graph.initializers.map(({ name }) => name))
  const parameters = graph.initializers
    .filter(({ dataType, dimensions }) => dataType === dataTypes.float32 && dimensions.length > 0)
    .map(({ name = '', dimensions }) => ({ name, shape: dimensions }))
  return {
    producer: `${producerName} ${producerVersion}`.trim(),
    operatorSet: operatorSets.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version ?? 0,
    // Old files name their initialisers among the inputs.
    inputs: graph.inputs.filter(({ name }) => !given.has(name)).map(port),
    outputs: graph.outputs.map(port),
    parameters,
    parameterCount: parameters.reduce((sum, { shape }) => sum + size(shape), 0),
    operators: operatorsOf(graph),
    values: graph.nodes.flatMap(({ operator, outputs }) =>
      operator === 'Constant' ? [] : outputs.filter((name) => name !== '').map((name) => ({ name, operator })),
    ),
  }
}

function operatorsOf({ nodes }: Graph): OperatorUse[] {
  const uses = new Map<string, { nodes: number; first: string }>()
  nodes.forEach(({ operator, domain = '', name }, i) => {
    const full = domain === '' || domain === 'ai.onnx' ? operator : `${domain}.${operator}`
    const known = uses.get(full)
    uses.set(full, { nodes: (known?.nodes ?? 0) + 1, first: known?.first ?? (name || `node ${i}`) })
  })
  return [...uses]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([operator, { nodes: count, first }]) => {
      const gradient = gradientOf(operator)
      return { operator, nodes: count, gradient, ...(gradient === 'unknown' && { node: first }) }
    })
}

function gradientOf(operator: string): OperatorUse['gradient'] {
  if (shapesAndConstants.has(operator) || withoutGradient.has(operator)) return 'none'
  if (replaced.has(operator)) return 'yes'
  return Object.hasOwn(operators, operator) && Object.hasOwn(gradients, operator) ? 'yes' : 'unknown'
}

function port({ name, type }: ValueInfo): Port {
  const { elementType = 0, shape } = type?.tensor ?? {}
  return {
    name,
    type: typeNames.get(elementType) ?? `type ${elementType}`,
    shape: (shape?.dimensions ?? []).map(({ value, parameter }) => value ?? (parameter || '?')),
  }
}
