/** What is in an ONNX file: what goes in and out, its parameters, and which of its operators gradients flow through. */
import { IsometryError } from '../errors.ts'
import { gradients } from '../graph/gradients/table.ts'
import { operators } from '../graph/operators/table.ts'
import { readModel } from '../onnx/codec.ts'
import { dataTypes, type Graph, type Model, type Tensor, type ValueInfo } from '../onnx/schema.ts'
import { checkTensor, dtypeOf, typeNames } from '../onnx/tensors.ts'
import { fullName, isStandard } from '../onnx/upgrade.ts'
import { size } from '../tensor.ts'
import { type ImportedGraph, importGraph, settingNames } from './imported/graph.ts'
import { type Judgement, judge, replaced, withoutGradient } from './imported/static.ts'

export interface Inspection {
  /** Name and version of what wrote the file; empty if it does not say. */
  readonly producer: string
  /** The version of ONNX's operators. */
  readonly operatorSet: number
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** What training could change: float32 weights with at least one axis, without statistics. */
  readonly parameters: readonly Parameter[]
  /** How many numbers they hold together. */
  readonly parameterCount: number
  readonly operators: readonly OperatorUse[]
  /** The results of all nodes, in the order of the file: each can be taken for the output. */
  readonly values: readonly { readonly name: string; readonly operator: string }[]
  /** Why training would refuse the file, in the words of its error; left out if it would not. Shapes are not looked at. */
  readonly refusal?: string
}

/** Type and shape are left out where the file does not state them. A name stands for an extent that is open. */
export interface Port {
  readonly name: string
  readonly type?: string
  readonly shape?: readonly (number | string)[]
}

export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
}

export interface OperatorUse {
  readonly operator: string
  /** How many nodes of the file are of it. */
  readonly nodes: number
  /** `none`: none has to flow through it, because it computes shapes, constants or conditions, or no parameter comes before. */
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
  const model = readModel(bytes)
  const { graph, operatorSets, producerName = '', producerVersion = '' } = model
  for (const initializer of graph.initializers) checkTensor(initializer)
  const given = new Set(graph.initializers.map(({ name }) => name))
  const { imported, judgement, refusal } = judged(model)
  const parameters = parametersOf(graph, imported)
  return {
    producer: `${producerName} ${producerVersion}`.trim(),
    operatorSet: operatorSets.find(isStandard)?.version ?? 0,
    // Old files name their initialisers among the inputs.
    inputs: graph.inputs.filter(({ name }) => !given.has(name)).map(port),
    outputs: graph.outputs.map(port),
    parameters,
    parameterCount: parameters.reduce((sum, { shape }) => sum + size(shape), 0),
    operators: operatorsOf(graph, judgement),
    values: graph.nodes.flatMap(({ operator, outputs }) =>
      operator === 'Constant' ? [] : outputs.filter((name) => name !== '').map((name) => ({ name, operator })),
    ),
    ...(refusal !== undefined && { refusal }),
  }
}

/** What reading the file for training makes of it. */
function judged(model: Model): { imported?: ImportedGraph; judgement?: Judgement; refusal?: string | undefined } {
  try {
    const imported = importGraph(model, {}, withoutData)
    const judgement = judge(imported)
    return { imported, judgement, refusal: judgement.refusals[0] }
  } catch (error) {
    if (!(error instanceof IsometryError)) throw error
    return { refusal: error.message }
  }
}

/** The type and shape of a tensor, whose data may be large or lie in another file. */
function withoutData(tensor: Tensor) {
  checkTensor(tensor)
  const dtype = dtypeOf(tensor.dataType)
  return dtype && { dtype, shape: tensor.dimensions, data: new Uint8Array() }
}

/** Those that reading for training finds; of a file that it does not get through, what looks like them. */
function parametersOf({ nodes, initializers }: Graph, imported: ImportedGraph | undefined): Parameter[] {
  if (imported) {
    return [...imported.parameters].flatMap(([name, { shape, trained }]) => (trained ? [{ name, shape }] : []))
  }
  const settings = settingNames(nodes)
  return initializers
    .filter(({ dataType, dimensions }) => dataType === dataTypes.float32 && dimensions.length > 0)
    .map(({ name = '', dimensions }) => ({ name, shape: dimensions }))
    .filter(({ name }) => !settings.has(name))
}

function operatorsOf({ nodes }: Graph, judgement: Judgement | undefined): OperatorUse[] {
  const uses = new Map<string, { nodes: number; first: string }>()
  nodes.forEach((node, i) => {
    const operator = fullName(node)
    const known = uses.get(operator)
    uses.set(operator, { nodes: (known?.nodes ?? 0) + 1, first: known?.first ?? (node.name || `node ${i}`) })
  })
  const flowing = new Set([...(judgement?.differentiated ?? [])].map(fullName))
  return [...uses]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([operator, { nodes: count, first }]) => {
      const bad = judgement?.unknown.find((node) => fullName(node) === operator)
      const gradient = !judgement ? byName(operator) : bad ? 'unknown' : flowing.has(operator) ? 'yes' : 'none'
      const node = bad ? bad.name || bad.outputs[0]! : first
      return { operator, nodes: count, gradient, ...(gradient === 'unknown' && { node }) }
    })
}

/** Of a file that cannot be read for training. */
function byName(operator: string): OperatorUse['gradient'] {
  if (shapesAndConstants.has(operator) || withoutGradient.has(operator)) return 'none'
  if (replaced.has(operator)) return 'yes'
  return Object.hasOwn(operators, operator) && Object.hasOwn(gradients, operator) ? 'yes' : 'unknown'
}

function port({ name, type }: ValueInfo): Port {
  const { elementType = 0, shape } = type?.tensor ?? {}
  return {
    name,
    ...(elementType !== 0 && { type: typeNames.get(elementType) ?? `type ${elementType}` }),
    ...(shape && { shape: shape.dimensions.map(({ value, parameter }) => value ?? (parameter || '?')) }),
  }
}
