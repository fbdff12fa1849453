/** Attributes of an imported node as the graph's builder takes them: pads, orders of axes and equations spelled out. */
import { DataError } from '../../errors.ts'
import type { Attributes } from '../../graph/operators/operator.ts'
import type { Value } from '../../graph/value.ts'
import { attributeTypes, type Node } from '../../onnx/schema.ts'
import { dtypeOf, typeNames } from '../../onnx/tensors.ts'
import { attributeOf } from '../../onnx/upgrade.ts'
import { spelledOut } from './equation.ts'

const windows = new Set(['Conv', 'ConvTranspose', 'MaxPool', 'AveragePool'])
const automaticPads = ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER']
/** What the runtime takes as lists only, though a window of one axis has one number of each. */
const lists = ['kernel_shape', 'strides', 'dilations', 'pads', 'output_padding']

/** @throws DataError if an attribute is of a kind, or asks for something, that no rule here knows. */
export function attributesOf(node: Node, inputs: readonly (Value | undefined)[]): Attributes {
  const plain = plainAttributes(node)
  if (node.operator === 'Cast') return castTo(node)
  if (node.operator === 'Split' && !inputs[1]) return { ...plain, num_outputs: node.outputs.length }
  if (node.operator === 'Einsum') return { ...plain, equation: spelledOut(String(plain.equation), ranksOf(inputs)) }
  if (node.operator === 'Transpose') return { ...plain, perm: listOf(plain.perm) ?? reversedAxes(inputs[0]) }
  return windows.has(node.operator) ? withPads(node, plain, inputs) : plain
}

/**
 * Attributes as the file states them.
 *
 * @throws DataError if one is of a kind that is not read.
 */
export function plainAttributes(node: Node): Attributes {
  const plain: Record<string, number | string | readonly number[]> = {}
  for (const { name, type, int = 0, float = 0, string, ints, floats } of node.attributes) {
    if (type === attributeTypes.int) plain[name] = int
    else if (type === attributeTypes.float) plain[name] = float
    else if (type === attributeTypes.string) plain[name] = new TextDecoder().decode(string)
    else if (type === attributeTypes.ints) plain[name] = ints
    else if (type === attributeTypes.floats) plain[name] = floats
    else
      throw new DataError(`${node.operator} (${node.name}) has the attribute ${name} of a kind that is not read here.`)
  }
  return plain
}

function castTo(node: Node): Attributes {
  const refusal = unreadCast(node)
  if (refusal !== undefined) throw new DataError(refusal)
  return { dtype: dtypeOf(attributeOf(node, 'to')?.int)! }
}

/** Why a Cast cannot be built; undefined if it can. */
export function unreadCast(node: Node): string | undefined {
  const to = attributeOf(node, 'to')?.int
  if (dtypeOf(to)) return undefined
  return `Cast (${node.name || node.outputs[0]}) makes ${typeNames.get(to ?? 0) ?? `type ${to ?? 0}`}; expected float32, integers or bool. Export the model in float32.`
}

/** `auto_pad` and `ceil_mode` as the pads that they come to for inputs of this shape. */
function withPads(node: Node, attributes: Attributes, [x, weight]: readonly (Value | undefined)[]): Attributes {
  const { auto_pad: automatic = 'NOTSET', ceil_mode: ceil = 0, ...rest } = listed(attributes)
  if (rest.output_shape !== undefined) throw unsupported(node, 'output_shape')
  if (!automaticPads.includes(`${automatic}`)) throw unsupported(node, `auto_pad ${automatic}`)
  const kernel = listOf(rest.kernel_shape) ?? weight?.shape.slice(2) ?? []
  const stated = { ...rest, kernel_shape: kernel }
  const axes = kernel.length
  const ones = Array<number>(axes).fill(1)
  const strides = listOf(rest.strides) ?? ones
  const dilations = listOf(rest.dilations) ?? ones
  const pads = [...(listOf(rest.pads) ?? Array<number>(2 * axes).fill(0))]
  if (automatic === 'SAME_UPPER' || automatic === 'SAME_LOWER') {
    if (node.operator === 'ConvTranspose') throw unsupported(node, `auto_pad ${automatic}`)
    kernel.forEach((extent, i) => {
      const size = x?.shape[i + 2] ?? 0
      const reach = (Math.ceil(size / strides[i]!) - 1) * strides[i]! + (extent - 1) * dilations[i]! + 1
      const total = Math.max(reach - size, 0)
      const before = automatic === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
      pads[i] = before
      pads[i + axes] = total - before
    })
  } else if (ceil) {
    kernel.forEach((extent, i) => {
      const [before, after] = [pads[i]!, pads[i + axes]!]
      const size = x?.shape[i + 2] ?? 0
      const room = size + before + after - (extent - 1) * dilations[i]! - 1
      let places = Math.ceil(room / strides[i]!) + 1
      // A window that would begin in the padding after the end is left out.
      if ((places - 1) * strides[i]! >= size + before) places--
      const missing = (places - 1) * strides[i]! - room
      if (missing > 0 && node.operator !== 'MaxPool') throw unsupported(node, 'ceil_mode with windows over the edge')
      pads[i + axes] = after + Math.max(missing, 0)
    })
  }
  return { ...stated, pads }
}

function ranksOf(inputs: readonly (Value | undefined)[]): number[] {
  return inputs.map((each) => each?.shape.length ?? 0)
}

/** What Transpose does where it does not say: gradients have to know. */
function reversedAxes(x: Value | undefined): readonly number[] {
  return (x?.shape ?? []).map((_, i) => i).reverse()
}

function listed(attributes: Attributes): Attributes {
  const found = lists.flatMap((name) => {
    const list = listOf(attributes[name])
    return list ? [[name, list] as const] : []
  })
  return { ...attributes, ...Object.fromEntries(found) }
}

/** Files may have a number where a list is meant; whether it is as long as it has to be, the operator's rule says. */
function listOf(value: Attributes[string] | undefined): readonly number[] | undefined {
  return value === undefined ? undefined : ([value].flat() as readonly number[])
}

function unsupported(node: Node, what: string): DataError {
  return new DataError(
    `${node.operator} (${node.name}) uses ${what}, for which there is no rule here. Export it with pads stated.`,
  )
}
