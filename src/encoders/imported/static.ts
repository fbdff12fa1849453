/** Which nodes of an imported graph can be computed before anything is fed, and which of the rest cannot be trained. */
import { DataError } from '../../errors.ts'
import { gradients } from '../../graph/gradients/table.ts'
import { operators } from '../../graph/operators/table.ts'
import type { Node } from '../../onnx/schema.ts'
import { fullName, isStandard } from '../../onnx/upgrade.ts'
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

/**
 * Makes sure that every node that has to be computed for each batch can be, and that gradients flow through those between
 * a parameter and the output.
 *
 * @throws DataError that names the first nodes where that is not so.
 */
export function checkTrainable(graph: ImportedGraph): void {
  const settled = staticValues(graph)
  const fitted = new Set(graph.parameters.keys())
  const unknown: string[] = []
  const flat: string[] = []
  for (const node of graph.nodes) {
    if (node.outputs.every((name) => settled.has(name))) continue
    const what = `${fullName(node)} (${node.name || node.outputs[0]})`
    const known = isStandard(node) && (replaced.has(node.operator) || Object.hasOwn(operators, node.operator))
    if (!known) unknown.push(what)
    if (!node.inputs.some((name) => fitted.has(name)) || withoutGradient.has(node.operator)) continue
    if (known && !replaced.has(node.operator) && !Object.hasOwn(gradients, node.operator)) flat.push(what)
    for (const name of node.outputs) fitted.add(name)
  }
  if (unknown.length > 0) {
    throw new DataError(
      `The model uses ${list(unknown)}, for which there is no rule here. Choose a value before it as the output, or export the model without it.`,
    )
  }
  if (flat.length > 0) {
    throw new DataError(
      `No gradient is known of ${list(flat)}, and parameters come before. Freeze them, or choose a value before it as the output.`,
    )
  }
}

function list(nodes: readonly string[]): string {
  const more = nodes.length > SHOWN ? ` and ${nodes.length - SHOWN} more` : ''
  return nodes.slice(0, SHOWN).join(', ') + more
}
