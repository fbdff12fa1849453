/** A graph that someone else wrote: its nodes in one operator set, and what of its data is fitted and what is fixed. */
import { DataError, UsageError } from '../../errors.ts'
import type { Model, Node, ValueInfo } from '../../onnx/schema.ts'
import { dtypeOf, toPlain, typeNames } from '../../onnx/tensors.ts'
import { attributeOf, constantNode, constantOf, isStandard, operatorSets, upgrade } from '../../onnx/upgrade.ts'
import type { DType, Tensor } from '../../tensor.ts'
import type { Variable } from '../encoder.ts'

export interface ImportedGraph {
  /** The operator set of the nodes: 21 or, in newer files, their own. */
  readonly operatorSet: number
  /** In an order in which they can be computed; only those that `output` needs. */
  readonly nodes: readonly Node[]
  /** What has to be fed. */
  readonly inputs: readonly Input[]
  readonly output: string
  /** What training fits, by name, and the running statistics that follow it. */
  readonly parameters: ReadonlyMap<string, Variable>
  /** Weights that are kept as they are. */
  readonly frozen: ReadonlyMap<string, Tensor>
  /** All other data: what shapes, axes and settings are computed of. */
  readonly settings: ReadonlyMap<string, Tensor>
}

export interface Input {
  readonly name: string
  readonly dtype: DType
  /** A name stands for an extent that is open. */
  readonly shape: readonly (number | string)[]
}

export interface GraphOptions {
  /** The value inside the graph that is taken for its output; the first output if left out. */
  readonly output?: string | undefined
  /** Parameters whose names match one of these are not trained. */
  readonly freeze?: readonly RegExp[] | undefined
}

/** Gives a tensor of a file as plain data; nothing if it is of a type that graphs do not hold. */
export type Reading = typeof toPlain

/** Inputs of operators that hold settings or statistics, never weights that a gradient fits. */
const settingSlots: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [3, 4],
  Clip: [1, 2],
  Dropout: [1, 2],
  OneHot: [1, 2],
  Pad: [1, 2, 3],
  Resize: [1, 2, 3],
}

/**
 * @param read makes plain data of what the file holds; who asks for no data can leave them out.
 * @throws DataError if the graph is of an operator set that is not read, lacks a value that it uses, or its data do not fill
 *   their shapes; UsageError if there is no value named `output`, or a pattern of `freeze` matches no parameter.
 */
export function importGraph(
  { graph, operatorSets: sets }: Model,
  options: GraphOptions = {},
  read: Reading = toPlain,
): ImportedGraph {
  const version = sets.find(isStandard)?.version ?? 0
  const { nodes: upgraded, initializers } = upgrade(graph.nodes, version)
  const { data, weights, others } = dataOf([...graph.initializers, ...initializers], read)
  const computing = takeConstants([...others, ...upgraded], data, weights, read)

  const output = options.output ?? graph.outputs[0]?.name
  if (output === undefined) throw new DataError('The model has no output. Expected a file that an ONNX exporter wrote.')
  const nodes = ancestors(computing, output)
  const used = new Set(nodes.flatMap(({ inputs }) => inputs))

  const fixed = settingNames(nodes)
  const isWeight = (name: string) => weights.has(name) && used.has(name) && !fixed.has(name)
  const weightNames = [...data.keys()].filter(isWeight)
  const isFrozen = (name: string) => options.freeze?.some((pattern) => name.search(pattern) >= 0) ?? false
  checkPatterns(options.freeze ?? [], weightNames)

  const running = new Set(nodes.flatMap((node) => (followsBatch(node) ? node.inputs.slice(3, 5) : [])))
  const isVariable = (name: string) => (isWeight(name) && !isFrozen(name)) || running.has(name)
  const named = (keep: (name: string) => boolean) => [...data].filter(([name]) => keep(name))
  const inputs = graph.inputs.filter(({ name }) => used.has(name) && !data.has(name)).map(inputOf)
  checkComplete(nodes, new Set([...data.keys(), ...inputs.map(({ name }) => name)]), output)
  return {
    operatorSet: Math.max(version, operatorSets.own),
    nodes,
    inputs,
    output,
    parameters: new Map(named(isVariable).map(([name, tensor]) => [name, toVariable(tensor, !running.has(name))])),
    frozen: new Map(named((name) => isWeight(name) && isFrozen(name))),
    settings: new Map(named((name) => !isWeight(name) && !running.has(name) && used.has(name))),
  }
}

/** The names of what nodes take for settings or statistics. */
export function settingNames(nodes: readonly Node[]): Set<string> {
  return new Set(nodes.flatMap(({ operator, inputs }) => inputs.filter((_, i) => settingSlots[operator]?.includes(i))))
}

/**
 * Initialisers as plain data. Weights are those of float32 with at least one axis: a number alone is a constant of a
 * formula (an ε, a √d), which exporters write as an initialiser too. Data of types that graphs do not hold become Constant nodes: a Cast may follow.
 */
function dataOf(initializers: Model['graph']['initializers'], read: Reading) {
  const data = new Map<string, Tensor>()
  const weights = new Set<string>()
  const others: Node[] = []
  for (const initializer of initializers) {
    const { name = '' } = initializer
    const tensor = read(initializer)
    if (!tensor) {
      others.push(constantNode(initializer))
      continue
    }
    if (data.has(name)) throw new DataError(`Two initialisers are named ${name}. The file is damaged: export it again.`)
    data.set(name, tensor)
    if (tensor.dtype === 'float32' && tensor.shape.length > 0) weights.add(name)
  }
  return { data, weights, others }
}

/**
 * Moves what Constant nodes give, and what only renames an initialiser, into the data; returns the other nodes. Exporters
 * tie parameters that happen to be equal by an Identity of one of them, so each such name becomes a parameter of its own.
 */
function takeConstants(nodes: readonly Node[], data: Map<string, Tensor>, weights: Set<string>, read: Reading): Node[] {
  return nodes.filter((node) => {
    const [source, target] = [node.inputs[0]!, node.outputs[0]!]
    if (!isStandard(node)) return true
    if (node.operator === 'Constant') {
      const constant = constantOf(node)
      const tensor = constant && read(constant)
      if (!tensor) return true
      data.set(target, tensor)
      return false
    }
    if (node.operator !== 'Identity' || !weights.has(source)) return true
    const tensor = data.get(source)!
    data.set(target, { ...tensor, data: tensor.data.slice() })
    weights.add(target)
    return false
  })
}

/** The nodes that a value is computed by, in the order of the file. */
function ancestors(nodes: readonly Node[], output: string): Node[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  if (!makers.has(output)) {
    const known = nodes.map(({ outputs }) => outputs[0])
    throw new UsageError(
      `Nothing in the model computes ${JSON.stringify(output)}. The last values are ${known.slice(-5).join(', ')}; \`isometry inspect --values\` lists all.`,
    )
  }
  const needed = new Set<Node>()
  const pending = [makers.get(output)!]
  while (pending.length > 0) {
    const node = pending.pop()!
    if (needed.has(node)) continue
    needed.add(node)
    for (const name of node.inputs) if (makers.has(name)) pending.push(makers.get(name)!)
  }
  return nodes.filter((node) => needed.has(node))
}

/** Every value that a node uses has to come from an input, from data or from a node before it. */
function checkComplete(nodes: readonly Node[], given: ReadonlySet<string>, output: string): void {
  const known = new Set(given)
  for (const node of nodes) {
    const missing = node.inputs.find((name) => name !== '' && !known.has(name))
    if (missing !== undefined) {
      throw new DataError(
        `${node.operator} (${node.name || output}) uses ${missing}, which nothing before it gives. The file is damaged: export it again.`,
      )
    }
    for (const name of node.outputs) known.add(name)
  }
}

function checkPatterns(patterns: readonly RegExp[], names: readonly string[]): void {
  for (const pattern of patterns) {
    if (names.some((name) => name.search(pattern) >= 0)) continue
    const shown =
      names.length > 12 ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more` : names.join(', ')
    throw new UsageError(`${pattern} freezes no parameter. There are ${shown}.`)
  }
}

function inputOf({ name, type }: ValueInfo): Input {
  const { elementType = 0, shape } = type?.tensor ?? {}
  const dtype = dtypeOf(elementType)
  if (!dtype) {
    throw new DataError(
      `The input ${name} is of ${typeNames.get(elementType) ?? `type ${elementType}`}; expected float32, integers or bool. Export the model in float32.`,
    )
  }
  return { name, dtype, shape: (shape?.dimensions ?? []).map(({ value, parameter }) => value ?? (parameter || '?')) }
}

function toVariable({ shape, data }: Tensor, trained: boolean): Variable {
  return { dtype: 'float32', shape, data: data as Float32Array, trained }
}

/** Whether a node normalises by the batch's own statistics in training, as files that were exported for training do. */
export function followsBatch(node: Node): boolean {
  return node.operator === 'BatchNormalization' && integerOf(node, 'training_mode', 0) === 1
}

/** An integer attribute, or what it is where it is left out. */
export function integerOf(node: Node, name: string, otherwise: number): number {
  return attributeOf(node, name)?.int ?? otherwise
}
