/** Graphs with some of their nodes built in another way. */
import type { Node } from './node.ts'
import { reach } from './to-onnx.ts'
import { apply, type Value } from './value.ts'

type Values = Readonly<Record<string, Value>>

/** The nodes that take a value, in the graph as it was. */
export type Users = (value: Value) => readonly Node[]

/** What a node's outputs are computed by instead, from its inputs; undefined to leave it as it is. */
export type Rewrite = (node: Node, inputs: readonly (Value | undefined)[], users: Users) => readonly Value[] | undefined

/** The same outputs, with every node as `rule` has it. */
export function rewrite(outputs: Values, rule: Rewrite): Record<string, Value> {
  const known = new Map<Value, Value>()
  const replaced = (value: Value) => known.get(value) ?? value
  const { nodes } = reach(Object.values(outputs))
  const users = usersOf(nodes)
  for (const node of nodes) {
    const inputs = node.inputs.map((each) => each && replaced(each))
    const rewritten = rule(node, inputs, users)
    if (!rewritten && inputs.every((each, i) => each === node.inputs[i])) continue
    const rebuilt = rewritten ?? apply(node.operator, inputs, node.attributes)
    node.outputs.forEach((output, i) => {
      if (rebuilt[i]) known.set(output, rebuilt[i])
    })
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, replaced(value)]))
}

function usersOf(nodes: readonly Node[]): Users {
  const users = new Map<Value, Node[]>()
  for (const node of nodes) {
    for (const each of node.inputs) if (each) users.set(each, [...(users.get(each) ?? []), node])
  }
  return (value) => users.get(value) ?? []
}
