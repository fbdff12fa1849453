/** An encoder of an ONNX file: its graph, what comes before it and what is put on it. */
import { DataError, UsageError } from '../../errors.ts'
import { toInputs } from '../../graph/inputs.ts'
import { input, type Value } from '../../graph/value.ts'
import { unit } from '../../metrics/unit.ts'
import type { Model } from '../../onnx/schema.ts'
import { describe, type Shape } from '../../tensor.ts'
import type { Encoded, Encoder, Mode, NamedTensors, Pixels, Values, Variables } from '../encoder.ts'
import type { RunOnce } from './fold.ts'
import { type GraphOptions, importGraph } from './graph.ts'
import { buildHead, type Head, headVariables } from './head.ts'
import { imageInput, type Normalization, normalizePixels } from './image-input.ts'
import { lower } from './lower.ts'
import { type Masking, maskOf } from './mask.ts'
import { type Pooling, poolRows, poolVariables } from './pool.ts'
import { checkTrainable } from './static.ts'
import { writeImported } from './write.ts'

export interface ImportOptions extends GraphOptions, Normalization, Masking {
  /** How token states or feature maps become one row; by the output's shape if left out. */
  readonly pool?: Pooling | undefined
  /** A layer or two on top of that. */
  readonly head?: Head | undefined
  /** Whether embeddings are brought to length 1; false if left out. */
  readonly normalize?: boolean | undefined
  /** The images' size, for files that leave it open. */
  readonly height?: number | undefined
  readonly width?: number | undefined
}

/** Rows of the batch that is built to see what comes out; other open extents are as long as this. */
const PROBE_ROWS = 2
const PROBE_EXTENT = 8

/**
 * @param run computes constants on the way: shapes, axes, masks.
 * @throws DataError if the file is damaged, or holds what cannot be trained, by operator and node; UsageError if an option
 *   does not go with it.
 */
export async function importEncoder(model: Model, options: ImportOptions, run: RunOnce): Promise<Encoder> {
  const graph = importGraph(model, options)
  checkTrainable(graph)
  const image = imageInput(graph.inputs, options)
  const taken: Pixels | NamedTensors = image ?? { tensors: graph.inputs }
  const { pool, head, normalize = false } = options
  // Encoders that were trained here take pixels as they are.
  const normalization = model.producerName === 'isometry' ? { std: 1 / 255, ...stated(options) } : options
  const own = prefixFor(graph.parameters)

  async function features(inputs: Values, variables: Values, mode: Mode) {
    const fed = image ? { [image.name]: normalizePixels(inputs.pixels!, image, normalization) } : inputs
    return lower(graph, fed, variables, mode, run)
  }

  /** What comes after the file's own graph. */
  function finish(x: Value, inputs: Values, variables: Values): Value {
    const rows = poolRows(x, pool, ownOf(variables), mask === undefined ? undefined : inputs[mask])
    const projected = head ? buildHead(head, rows, ownOf(variables)) : rows
    return normalize ? unit(projected) : projected
  }

  const ownOf = (variables: Values): Values =>
    Object.fromEntries(
      Object.entries(variables).flatMap(([name, v]) => (name.startsWith(own) ? [[name.slice(own.length), v]] : [])),
    )

  const probe = await features(probeInputs(taken), toInputs(Object.fromEntries(graph.parameters)), 'infer')
  const { output } = probe
  if (output.shape[0] !== PROBE_ROWS || output.dtype !== 'float32' || output.shape.length < 2) {
    throw new DataError(
      `For a batch of ${PROBE_ROWS}, ${graph.output} is ${describe(output)}; expected float32 [${PROBE_ROWS}, …]. Choose another output, or export the model with a free batch axis.`,
    )
  }
  const mask = maskOf(graph.inputs, output.shape.length === 3 && pool !== 'first', options)
  const added = (seed: number): Variables => ({
    ...poolVariables(pool),
    ...(head && headVariables(head, poolRows(output, pool, toInputs(poolVariables(pool))).shape[1]!, seed)),
  })
  const prefixed = (variables: Variables) =>
    Object.fromEntries(Object.entries(variables).map(([name, variable]) => [own + name, variable]))
  const dimension = finish(output, probeInputs(taken), toInputs(prefixed(added(0)))).shape[1]!
  const all = (seed: number): Variables => ({ ...Object.fromEntries(graph.parameters), ...prefixed(added(seed)) })
  if (!Object.values(all(0)).some(({ trained }) => trained)) {
    throw new UsageError('Nothing is left to train. Freeze less, or put a head on the encoder.')
  }

  return {
    name: 'onnx',
    input: taken,
    dimension,
    settings: settingsOf(graph.output, options),
    variables: all,
    async build(inputs, variables, mode): Promise<Encoded> {
      const { output: x, state, masks } = await features(inputs, variables, mode)
      return { embedding: finish(x, inputs, variables), state, masks }
    },
    toModel: (variables, last) =>
      writeImported(model, graph, {
        variables,
        image,
        normalization,
        features: output,
        finish: (x, inputs, values) => last(finish(x, inputs, values)),
      }),
  }
}

function stated({ mean, std }: Normalization): Normalization {
  return { ...(mean !== undefined && { mean }), ...(std !== undefined && { std }) }
}

/** Inputs of the size that is built to see what comes out. */
function probeInputs(taken: Pixels | NamedTensors): Values {
  if ('channels' in taken) {
    return { pixels: input('pixels', 'float32', [PROBE_ROWS, taken.channels, taken.height, taken.width]) }
  }
  const shape = (open: readonly (number | string)[]): Shape =>
    open.map((extent, i) => (i === 0 ? PROBE_ROWS : typeof extent === 'number' ? extent : PROBE_EXTENT))
  return Object.fromEntries(taken.tensors.map((each) => [each.name, input(each.name, each.dtype, shape(each.shape))]))
}

/** What the names of added variables begin with: `head.`, or something longer where the file has such names. */
function prefixFor(parameters: ReadonlyMap<string, unknown>): string {
  let prefix = 'head.'
  while ([...parameters.keys()].some((name) => name.startsWith(prefix))) prefix = `added.${prefix}`
  return prefix
}

function settingsOf(
  output: string,
  { pool, mask, head, normalize, freeze, mean, std }: ImportOptions,
): Encoder['settings'] {
  const listed = (values: number | readonly number[] | undefined) => (typeof values === 'number' ? [values] : values)
  return {
    output,
    ...(pool && { pool }),
    ...(mask !== undefined && { mask }),
    ...(head && { head: head.kind, dimension: head.dimension, ...(head.hidden && { hidden: head.hidden }) }),
    ...(normalize && { normalize }),
    ...(freeze && { freeze: freeze.map(({ source }) => source) }),
    ...(mean !== undefined && { mean: listed(mean)! }),
    ...(std !== undefined && { std: listed(std)! }),
  }
}
