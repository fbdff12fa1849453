/** An imported encoder as an ONNX file again: its own nodes with other weights, and what was put before and behind them. */

import { toInputs } from '../../graph/inputs.ts'
import { toInitializer, toModel } from '../../graph/to-onnx.ts'
import { input, type Value } from '../../graph/value.ts'
import type { Graph, Model, Node, ValueInfo } from '../../onnx/schema.ts'
import { dataTypes } from '../../onnx/schema.ts'
import { constantNode } from '../../onnx/upgrade.ts'
import type { Values, Variables } from '../encoder.ts'
import { followsBatch, type ImportedGraph } from './graph.ts'
import { type ImageInput, type Normalization, normalizePixels } from './image-input.ts'

/** Files of operator set 21 need at least this version of the format. */
const IR_VERSION = 10

export interface Writing {
  readonly variables: Variables
  readonly image: ImageInput | undefined
  readonly normalization: Normalization
  /** What the file's own graph gives, for any number of rows. */
  readonly features: Value
  /** What follows it, with the inputs of the file and the variables as constants. */
  readonly finish: (features: Value, inputs: Values, variables: Values) => Value
}

/**
 * The number of rows is free, and so is every extent that the file left open, because its own nodes are kept as they are,
 * those that compute shapes included. Inputs are `pixels` [n, channels, height, width], 0–255, or those of the file; the
 * output is `embedding` [n, d].
 */
export function writeImported(
  { irVersion, operatorSets }: Model,
  graph: ImportedGraph,
  { variables, image, normalization, features, finish }: Writing,
): Model {
  const free = freePrefix(graph)
  // Names that the written file gives its own input and output.
  const own = (name: string) => (name === 'embedding' || (image && name === 'pixels') ? free(`file ${name}`) : name)
  const output = own(graph.output)
  const before = image && beforeOf({ ...image, name: own(image.name) }, normalization)
  const inputs = Object.fromEntries(
    graph.inputs.map(({ name, dtype, shape }) => [
      name,
      input(
        name,
        dtype,
        shape.map((extent, i) => (i === 0 || typeof extent === 'string' ? (features.shape[i] ?? 1) : extent)),
      ),
    ]),
  )
  const embedding = finish(input(output, 'float32', features.shape), inputs, toInputs(variables))
  const after = toModel({ embedding }, { freeAxis: 'n' }).graph
  const kept = new Set(['embedding', ...after.inputs.map(({ name }) => name)])
  const weights = [...graph.frozen, ...Object.entries(variables)]
  return {
    irVersion: Math.max(irVersion, IR_VERSION),
    producerName: 'isometry',
    operatorSets: [
      { version: graph.operatorSet },
      ...operatorSets.filter(({ domain = '' }) => domain !== '' && domain !== 'ai.onnx'),
    ],
    metadata: [],
    graph: {
      name: 'isometry',
      nodes: [
        ...(before ? renamed(before, free('before '), new Set(['pixels', own(image!.name)])) : []),
        ...[...graph.settings].map(([name, tensor]) => constantNode(toInitializer(own(name), tensor))),
        ...graph.nodes.map((node) => withNames(forUse(node), own)),
        ...renamed(after, free('after '), kept),
      ],
      initializers: weights.map(([name, tensor]) => toInitializer(own(name), tensor)),
      inputs: before?.inputs ?? graph.inputs.map(openInput),
      outputs: after.outputs,
      values: [],
    },
  }
}

function beforeOf(image: ImageInput, normalization: Normalization) {
  const pixels = input('pixels', 'float32', [1, image.channels, image.height, image.width])
  return toModel({ [image.name]: normalizePixels(pixels, image, normalization) }, { freeAxis: 'n' }).graph
}

/** The first axis is the batch's; the others keep their extents or the names that the file gives them. */
function openInput({ name, dtype, shape }: ImportedGraph['inputs'][number]): ValueInfo {
  const dimensions = shape.map((extent, i) =>
    i === 0 ? { parameter: 'n' } : typeof extent === 'number' ? { value: extent } : { parameter: extent },
  )
  return { name, type: { tensor: { elementType: dataTypes[dtype], shape: { dimensions } } } }
}

/** A node as it computes outside of training. */
function forUse(node: Node): Node {
  if (node.operator === 'Dropout') {
    return { ...node, operator: 'Identity', inputs: [node.inputs[0]!], outputs: [node.outputs[0]!], attributes: [] }
  }
  if (!followsBatch(node)) return node
  const attributes = node.attributes.filter(({ name }) => name !== 'training_mode')
  return { ...node, outputs: node.outputs.slice(0, 1), attributes }
}

/** Names like the given one that no name in the graph begins with: a file that was written here once has such names. */
function freePrefix({ nodes, settings, parameters, frozen }: ImportedGraph): (name: string) => string {
  const taken = [
    ...nodes.flatMap(({ name = '', inputs, outputs }) => [name, ...inputs, ...outputs]),
    ...[settings, parameters, frozen].flatMap((data) => [...data.keys()]),
  ]
  return (name) => {
    let found = name
    while (taken.some((each) => each.startsWith(found))) found = `again ${found}`
    return found
  }
}

/**
 * The nodes of a graph, whose values have names of their own, so that it can be joined to another by the names that are
 * kept. Its constants become nodes, which nobody who reads the file takes for parameters.
 */
function renamed({ nodes, initializers }: Graph, prefix: string, kept: ReadonlySet<string>): Node[] {
  const rename = (name: string) => (name === '' || kept.has(name) ? name : prefix + name)
  return [...initializers.map(constantNode), ...nodes].map((node) => ({
    ...withNames(node, rename),
    name: prefix + (node.name || node.outputs[0]),
  }))
}

function withNames(node: Node, rename: (name: string) => string): Node {
  return { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) }
}
