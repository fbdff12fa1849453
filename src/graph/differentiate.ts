/** Reverse-mode differentiation: from a graph to the graph of its gradients. */
import { GraphError } from '../errors.ts'
import { describe, sameShape } from '../tensor.ts'
import { withoutRule } from './gradients/limits.ts'
import { zeros } from './gradients/rule.ts'
import { gradients as rules } from './gradients/table.ts'
import type { Node } from './node.ts'
import { scalar, type Value } from './value.ts'

/**
 * The gradient of `output` with respect to each of `targets`, as values of the targets' shapes.
 *
 * @param upstream the gradient that flows into `output`, of its shape; 1 for a scalar output.
 * @throws GraphError where an operator on the way has no gradient.
 */
export function differentiate(output: Value, targets: readonly Value[], upstream?: Value): Value[] {
  if (!upstream && output.shape.length > 0) {
    throw new GraphError(`Only a scalar can be differentiated without an upstream gradient, found ${describe(output)}.`)
  }
  const flowing = new Map<Value, Value>([[output, upstream ?? scalar(1)]])
  for (const node of nodesBetween(targets, output)) {
    const all = node.outputs.map((each) => flowing.get(each))
    const known = all.find((each) => each !== undefined)
    if (!known) continue
    const g = all[0] ?? zeros(node.outputs[0]!.shape, known)
    const destinations = node.custom?.inputs ?? node.inputs
    const parts = node.custom ? node.custom.rule(g) : ruleOf(node)(g, node, all)
    parts.forEach((part, i) => {
      const destination = destinations[i]
      if (!part || !destination || destination.source.kind === 'constant') return
      if (!sameShape(part.shape, destination.shape)) {
        throw new GraphError(`The gradient of ${node.operator} is ${describe(part)} for ${describe(destination)}.`)
      }
      const before = flowing.get(destination)
      flowing.set(destination, before ? before.add(part) : part)
    })
  }
  return targets.map((target) => flowing.get(target) ?? zeros(target.shape, output))
}

function ruleOf(node: Node) {
  const rule = rules[node.operator]
  const limit = withoutRule(node.operator, node.attributes)
  if (rule && !limit) return rule
  const what = limit ? `${node.operator} with ${limit}` : `The operator ${node.operator}`
  throw new GraphError(`${what} has no gradient. Detach what it computes.`)
}

/** The nodes on a way from the targets to the output, last made first: an order in which gradients can flow. */
function nodesBetween(targets: readonly Value[], output: Value): Node[] {
  const wanted = new Set(targets)
  const leads = new Map<Value, boolean>()
  const path = new Set<Node>()
  /** Whether a target is reached from the value; walks with a stack of its own, since graphs are deep. */
  const pending: Value[] = [output]
  while (pending.length > 0) {
    const value = pending.at(-1)!
    const { node } = value
    const destinations = ((node?.custom?.inputs ?? node?.inputs ?? []) as readonly (Value | undefined)[]).filter(
      (each) => each !== undefined,
    )
    const open = leads.has(value) ? [] : destinations.filter((each) => !leads.has(each))
    if (open.length > 0) {
      pending.push(...open)
      continue
    }
    pending.pop()
    if (leads.has(value)) continue
    const passes = destinations.some((each) => leads.get(each))
    if (passes) path.add(node!)
    leads.set(value, passes || wanted.has(value))
  }
  return [...path].sort((a, b) => b.number - a.number)
}
