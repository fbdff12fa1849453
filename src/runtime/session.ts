/** One opened model: named tensors in, named tensors out. The same for every place where ONNX Runtime runs. */
import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-common'
import { RuntimeError } from '../errors.ts'
import type { DType, Tensor, TypedArray } from '../tensor.ts'
import { isUncopied, readable } from './uncopied.ts'

/** A session with the tensor class of the same module: given tensors of another copy, it quietly makes new outputs. */
export interface OrtSession {
  readonly session: InferenceSession
  readonly Tensor: TensorConstructor
}

/** Makes a session of the bytes of a model: what differs between Node and the browser. */
export type Backend = (model: Uint8Array, options: SessionOptions) => Promise<OrtSession>

/** Where graphs can be computed: what ONNX Runtime calls an execution provider. */
export const devices = ['cpu', 'webgpu', 'cuda'] as const
export type Device = (typeof devices)[number]

/** How graphs are computed. */
export interface ComputeOptions {
  /** How many threads compute on the CPU. Results are reproducible only for the same number. */
  readonly threads?: number | undefined
  /** `cpu` if left out. What a device has no kernel for is computed on the CPU. */
  readonly device?: Device | undefined
  /** Is told, after the first run, which nodes another device than the CPU left to the CPU. */
  readonly onFallback?: ((nodes: readonly FallbackNode[]) => void) | undefined
}

export interface SessionOptions extends ComputeOptions {
  /** Names of nodes that are computed on the CPU in any case. */
  readonly onCpu?: readonly string[] | undefined
  /** Names of outputs that stay on a WebGPU device, to be fed again: `run` gives device tensors for them. */
  readonly resident?: readonly string[] | undefined
}

/** A tensor that lies on a device: it can be fed, and has no data here. */
export interface DeviceTensor extends Tensor {
  readonly onDevice: OrtTensor
}

export function isOnDevice(tensor: Tensor): tensor is DeviceTensor {
  return 'onDevice' in tensor
}

/** Gives back the device's memory; of other tensors, nothing. */
export function dispose(tensor: Tensor): void {
  if (isOnDevice(tensor)) tensor.onDevice.dispose()
}

export interface FallbackNode {
  readonly name: string
  readonly operator: string
}

export type Tensors = Readonly<Record<string, Tensor>>

/** A model that is ready to run. */
export interface Program {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /**
   * Runs the graph once.
   *
   * @param feeds a tensor for every input; others are ignored.
   * @param into tensors that are overwritten with the outputs of the same names; all others are new.
   * @throws RuntimeError if a feed is missing, if a tensor of `into` shares memory with a feed (the runtime may write an
   *   output before it has read that input for the last time), or if ONNX Runtime fails.
   */
  run(feeds: Tensors, into?: Tensors): Promise<Tensors>
  /** Gives the session's memory back. It cannot run afterwards. */
  release(): Promise<void>
}

/** Opens a model file's bytes; the shapes of its inputs may be free. */
export async function openWith(backend: Backend, model: Uint8Array, options: SessionOptions = {}): Promise<Program> {
  const opened = await openSession(backend, model, options)
  return {
    inputNames: opened.session.inputNames,
    outputNames: readable(opened.session.outputNames),
    run: (feeds, into = {}) => runSession(opened, feeds, into),
    release: () => opened.session.release(),
  }
}

async function openSession(backend: Backend, model: Uint8Array, options: SessionOptions): Promise<OrtSession> {
  try {
    return await backend(model, options)
  } catch (error) {
    throw new RuntimeError(`ONNX Runtime cannot open the graph: ${firstLine(error)}`, { cause: error })
  }
}

async function runSession({ session, Tensor }: OrtSession, feeds: Tensors, into: Tensors): Promise<Tensors> {
  refuseOverlap(feeds, into)
  const toOrt = (tensor: Tensor) =>
    isOnDevice(tensor) ? tensor.onDevice : new Tensor(tensor.dtype, tensor.data as Float32Array, tensor.shape)
  const missing = session.inputNames.find((name) => !feeds[name])
  if (missing !== undefined) throw new RuntimeError(`The input ${missing} is missing.`)
  const fed = Object.fromEntries(session.inputNames.map((name) => [name, toOrt(feeds[name]!)]))
  const fetches = Object.fromEntries(session.outputNames.map((name) => [name, into[name] ? toOrt(into[name]) : null]))
  const resultsOf = (given: InferenceSession.ReturnType) =>
    Object.fromEntries(
      readable(session.outputNames).map((name) => [name, into[name] ?? fromOrt(given[name] as OrtTensor)]),
    )
  try {
    return resultsOf(await session.run(fed, fetches))
  } catch (error) {
    if (isUncopied(session.outputNames, error)) return resultsOf({})
    throw new RuntimeError(`ONNX Runtime failed: ${firstLine(error)}`, { cause: error })
  }
}

function refuseOverlap(feeds: Tensors, into: Tensors): void {
  const here = Object.entries(feeds).filter(([, tensor]) => !isOnDevice(tensor))
  for (const [output, { data: a }] of Object.entries(into)) {
    for (const [input, { data: b }] of here) {
      const apart = a.byteOffset + a.byteLength <= b.byteOffset || b.byteOffset + b.byteLength <= a.byteOffset
      if (a.buffer === b.buffer && !apart) {
        throw new RuntimeError(
          `The output ${output} would be written over the input ${input} while it is read. Give it memory of its own.`,
        )
      }
    }
  }
}

function fromOrt(tensor: OrtTensor): Tensor {
  if (tensor.location === 'gpu-buffer') return onDevice(tensor)
  return { dtype: tensor.type as DType, shape: tensor.dims, data: tensor.data as TypedArray }
}

/** Asking the runtime for the data of such a tensor would end the process, so that is an error before it comes to that. */
function onDevice(tensor: OrtTensor): DeviceTensor {
  return {
    dtype: tensor.type as DType,
    shape: tensor.dims,
    onDevice: tensor,
    get data(): never {
      throw new RuntimeError('A tensor on a device has no data here. Read it through a graph that gives it out.')
    },
  }
}

function firstLine(error: unknown): string {
  const [line] = String(error instanceof Error ? error.message : error).split('\n')
  // The place in the runtime's own source that some messages begin with helps nobody.
  return line!.replace(/^\/\S+:\d+ .* was false\. /, '')
}
