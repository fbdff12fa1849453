/** Graphs with some of their values exchanged for others. */
import { reach } from './to-onnx.ts'
import { apply, type Value } from './value.ts'

type Values = Readonly<Record<string, Value>>

/** The same outputs, computed with `replacements` in place of the values that they replace. */
export function substitute(outputs: Values, replacements: ReadonlyMap<Value, Value>): Record<string, Value> {
  const known = new Map(replacements)
  const replaced = (value: Value) => known.get(value) ?? value
  for (const node of reach(Object.values(outputs)).nodes) {
    if (node.outputs.every((output) => known.has(output))) continue
    if (!node.inputs.some((each) => each && known.has(each))) continue
    const inputs = node.inputs.map((each) => each && replaced(each))
    const rebuilt = apply(node.operator, inputs, node.attributes)
    node.outputs.forEach((output, i) => {
      if (!known.has(output)) known.set(output, rebuilt[i]!)
    })
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, replaced(value)]))
}

/**
 * The values, computed by nodes, that do not depend on `inputs` while something that does depend on them uses them: what
 * can be computed once and for all.
 */
export function settled(outputs: Values, inputs: readonly Value[]): Value[] {
  const dependent = new Set(inputs)
  const found = new Set<Value>()
  for (const node of reach(Object.values(outputs)).nodes) {
    if (!node.inputs.some((each) => each && dependent.has(each))) continue
    for (const output of node.outputs) dependent.add(output)
    for (const each of node.inputs) if (each && each.source.kind !== 'constant' && !dependent.has(each)) found.add(each)
  }
  return [...found]
}
