/** Which nodes of an imported graph can be computed before anything is fed, and which of the rest cannot be trained. */
import { DataError } from '../../errors.ts'
import { withoutRule } from '../../graph/gradients/limits.ts'
import { gradients } from '../../graph/gradients/table.ts'
import { operators } from '../../graph/operators/table.ts'
import type { Node } from '../../onnx/schema.ts'
import { typeNames } from '../../onnx/tensors.ts'
import { constantOf, fullName, isStandard } from '../../onnx/upgrade.ts'
import { plainAttributes, unreadCast } from './attributes.ts'
import type { ImportedGraph } from './graph.ts'

/** They ask for the shape of a value only, and shapes are known when a graph is built. */
const ofShape = new Set(['Shape', 'Size'])
/** Their results are integers or conditions, which no gradient flows through. */
export const withoutGradient = new Set([
  'ArgMax',
  'ArgMin',
  'Equal',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'And',
  'Or',
  'Not',
])
/** Replaced when the graph is built. */
export const replaced = new Set(['Dropout'])
/** They choose or repeat what graphs inside them compute. */
const withGraphs = new Set(['If', 'Loop', 'Scan'])
/** How many nodes an error names. */
const SHOWN = 3

/** Whether a node only asks for the shape of its input. */
export function asksForShape(node: Node): boolean {
  return isStandard(node) && ofShape.has(node.operator)
}

/** The names of all values that depend on settings and shapes alone. */
export function staticValues({ nodes, settings }: ImportedGraph): Set<string> {
  const found = new Set<string>(['', ...settings.keys()])
  for (const node of nodes) {
    const settled = asksForShape(node) || node.inputs.every((name) => found.has(name))
    if (settled && isStandard(node)) for (const name of node.outputs) found.add(name)
  }
  return found
}

/** What training makes of a graph. */
export interface Judgement {
  /** The nodes between a parameter and the output, which gradients flow through. */
  readonly differentiated: ReadonlySet<Node>
  /** The nodes that cannot be built, or of which no gradient is known where one has to flow. */
  readonly unknown: readonly Node[]
  /** Why the graph cannot be trained, the first reason first; nothing if it can. */
  readonly refusals: readonly string[]
}

/** Finds whether every node that has to be computed for each batch can be, and whether gradients flow where they have to. */
export function judge(graph: ImportedGraph): Judgement {
  const settled = staticValues(graph)
  const computed = graph.nodes.filter(({ outputs }) => !outputs.every((name) => settled.has(name)))
  const differentiated = behindParameters(computed, graph)
  const branching = graph.nodes.filter(hasGraphs)
  const foreign = computed.filter((node) => !isKnown(node) && !hasGraphs(node))
  const flat = [...differentiated].filter((node) => isKnown(node) && (isFlat(node) || limitOf(node)))
  const refusals = [
    branching.length > 0 &&
      `The model uses ${list(branching)}, with graphs of its own inside, which are not read here. Choose a value before it as the output, or export the model with its conditions worked out, as torch.onnx.export(…, dynamo=True) does.`,
    typeRefusal(graph.nodes, computed),
    foreign.length > 0 &&
      `The model uses ${list(foreign)}, for which there is no rule here. Choose a value before it as the output, or export the model without it.`,
    flat.length > 0 &&
      `No gradient is known of ${list(flat)}, and parameters come before. Freeze them, or choose a value before it as the output.`,
  ]
  return {
    differentiated,
    unknown: [...branching, ...foreign, ...flat],
    refusals: refusals.filter((each) => typeof each === 'string'),
  }
}

/** @throws DataError that names the first nodes for which a graph cannot be trained. */
export function checkTrainable(graph: ImportedGraph): void {
  const [first] = judge(graph).refusals
  if (first) throw new DataError(first)
}

/** Constants of types that graphs do not hold are Constant nodes still; what is computed of them alone may end in a Cast. */
function typeRefusal(nodes: readonly Node[], computed: readonly Node[]): string | undefined {
  const types = new Map(
    nodes.flatMap((node) => (node.operator === 'Constant' ? [[node.outputs[0]!, typeOf(node)] as const] : [])),
  )
  const users = computed.filter(({ inputs }) => inputs.some((name) => types.has(name)))
  if (users.length > 0) {
    const found = new Set(users.flatMap(({ inputs }) => inputs.flatMap((name) => types.get(name) ?? [])))
    return `The model has constants of ${[...found].join(' and ')} in ${list(users)}; expected float32, integers or bool. Export the model in float32.`
  }
  const cast = computed.find((node) => node.operator === 'Cast' && isStandard(node) && unreadCast(node))
  return cast && unreadCast(cast)
}

function typeOf(constant: Node): string {
  return typeNames.get(constantOf(constant)?.dataType ?? 0) ?? 'a type that is not read'
}

function behindParameters(nodes: readonly Node[], { parameters }: ImportedGraph): Set<Node> {
  const fitted = new Set(parameters.keys())
  const found = new Set<Node>()
  for (const node of nodes) {
    if (!node.inputs.some((name) => fitted.has(name)) || withoutGradient.has(node.operator)) continue
    found.add(node)
    for (const name of node.outputs) fitted.add(name)
  }
  return found
}

function hasGraphs({ operator, attributes }: Node): boolean {
  return withGraphs.has(operator) || attributes.some(({ graph }) => graph !== undefined)
}

function isKnown(node: Node): boolean {
  return isStandard(node) && (replaced.has(node.operator) || Object.hasOwn(operators, node.operator))
}

function isFlat({ operator }: Node): boolean {
  return !replaced.has(operator) && !Object.hasOwn(gradients, operator)
}

/** The setting with which an operator has no gradient, though it has one with others. */
function limitOf(node: Node): string | undefined {
  return withoutRule(node.operator, plainAttributes(node))
}

function list(nodes: readonly Node[]): string {
  const more = nodes.length > SHOWN ? ` and ${nodes.length - SHOWN} more` : ''
  return nodes.slice(0, SHOWN).map(described).join(', ') + more
}

function described(node: Node): string {
  const limit = isKnown(node) && limitOf(node)
  return `${fullName(node)} (${node.name || node.outputs[0]})${limit ? ` with ${limit}` : ''}`
}
