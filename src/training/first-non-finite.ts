/** Where in a graph numbers are lost: the first node that makes NaN or infinity of finite inputs. */
import { compile } from '../compile.ts'
import { describeValue } from '../graph/describe.ts'
import type { Node } from '../graph/node.ts'
import { reach } from '../graph/to-onnx.ts'
import { concat, type Value } from '../graph/value.ts'
import type { ComputeOptions, Tensors } from '../runtime/session.ts'

type Values = Readonly<Record<string, Value>>

/** How many inputs of the graph are named that the node depends on. */
const NAMED = 3

/**
 * Runs a graph again and says which node was the first whose result is not finite although all that it takes is, of those
 * that an output's loss of numbers goes back to: an infinity that is masked away later is none. Undefined if all outputs
 * are finite.
 */
export async function firstNonFinite(
  outputs: Values,
  feeds: Tensors,
  options?: ComputeOptions,
): Promise<string | undefined> {
  const { nodes, inputs } = reach(Object.values(outputs))
  const lost = new Set<Value>()
  for (const [name, input] of inputs) if (!allFinite(feeds[name]!)) lost.add(input)
  const computed = nodes.flatMap((node) => node.outputs.filter(({ dtype }) => dtype === 'float32'))
  const flags = await flagsOf(computed, feeds, options)
  for (const [i, value] of computed.entries()) if (flags[i] !== 0) lost.add(value)

  const culprit = originsOf(Object.values(outputs), lost).sort(inOrder)[0]
  if (!culprit) return undefined
  if (!culprit.node) return `${describeValue(culprit)} is not finite as it is fed`
  return `${await describeNode(culprit.node, feeds, options)}${nearby(culprit)}`
}

function allFinite({ dtype, data }: Tensors[string]): boolean {
  return dtype !== 'float32' || (data as Float32Array).every(Number.isFinite)
}

/** For each value 0 if all of it is finite, NaN otherwise: x − x is 0 for nothing else. One output, so that memory is that of a run. */
async function flagsOf(values: readonly Value[], feeds: Tensors, options?: ComputeOptions): Promise<Float32Array> {
  if (values.length === 0) return new Float32Array()
  const flags = values.map((value) => value.sub(value).sum().reshape([1]))
  return (await runOnce({ flags: concat(flags, 0) }, feeds, options)).flags!.data as Float32Array
}

/** The values that are lost, lead to an output over lost ones alone, and are computed of none. */
function originsOf(outputs: readonly Value[], lost: ReadonlySet<Value>): Value[] {
  const seen = new Set<Value>()
  const origins: Value[] = []
  const pending = outputs.filter((each) => lost.has(each))
  while (pending.length > 0) {
    const value = pending.pop()!
    if (seen.has(value)) continue
    seen.add(value)
    const before = (value.node?.inputs ?? []).filter((each) => each !== undefined && lost.has(each)) as Value[]
    if (before.length === 0) origins.push(value)
    pending.push(...before)
  }
  return origins
}

/** What is fed comes before all nodes. */
function inOrder(a: Value, b: Value): number {
  return (a.node?.number ?? -1) - (b.node?.number ?? -1)
}

/** The operator, and from where to where the numbers go that it takes and gives. */
async function describeNode(node: Node, feeds: Tensors, options?: ComputeOptions): Promise<string> {
  const taken = node.inputs.filter((each): each is Value => each?.dtype === 'float32')
  const bounds = taken.flatMap((value, i) => [
    [`least ${i}`, value.min()] as const,
    [`most ${i}`, value.max()] as const,
  ])
  const found = await runOnce(Object.fromEntries(bounds), feeds, options)
  const number = (name: string) =>
    Number(found[name]!.data[0])
      .toPrecision(3)
      .replace(/\.?0+($|e)/, '$1')
  const ranges = taken.map(
    (value, i) => `${describeValue(value)} from ${number(`least ${i}`)} to ${number(`most ${i}`)}`,
  )
  return `${node.operator} of ${ranges.join(' and ')}`
}

/** The nearest inputs of the graph that a value depends on. */
function nearby(value: Value): string {
  const names = new Set<string>()
  const seen = new Set<Value>()
  let level: Value[] = [value]
  while (level.length > 0 && names.size < NAMED) {
    const next: Value[] = []
    for (const each of level) {
      if (seen.has(each)) continue
      seen.add(each)
      if (each.source.kind === 'input') names.add(each.source.name)
      for (const before of each.node?.inputs ?? []) if (before) next.push(before)
    }
    level = next
  }
  return names.size > 0 ? `, computed from ${[...names].slice(0, NAMED).join(', ')}` : ''
}

async function runOnce(outputs: Values, feeds: Tensors, options?: ComputeOptions): Promise<Tensors> {
  const program = await compile(outputs, options)
  try {
    return await program.run(feeds)
  } finally {
    await program.release()
  }
}
