/** ONNX Runtime in Node: the only file that knows onnxruntime-node. */
import { availableParallelism } from 'node:os'
import { UsageError } from '../errors.ts'
import { profilePrefix, reporting } from './fallback.ts'
import { type Backend, type Device, openWith, type Program, type SessionOptions } from './session.ts'

/**
 * How many threads a session uses where nothing is said: as many as ISOMETRY_THREADS says, or else one for each processor.
 *
 * @throws UsageError if the variable is no whole number of at least 1.
 */
export function defaultThreads(): number {
  const told = process.env.ISOMETRY_THREADS
  if (told === undefined || told === '') return availableParallelism()
  if (/^[1-9]\d{0,5}$/.test(told)) return Number(told)
  throw new UsageError(`ISOMETRY_THREADS is ${told}; expected a whole number of at least 1.`)
}

const backend: Backend = async (model, options) => {
  const { threads, device = 'cpu', onCpu = [], resident = [], onFallback } = options
  // Loaded when first needed: it maps tens of megabytes, which `--help` should not wait for.
  const { env, InferenceSession, Tensor } = await import('onnxruntime-node')
  const profile = onFallback && device !== 'cpu' ? profilePrefix() : undefined
  // What fails is thrown; the runtime need not write it to standard error besides.
  env.logLevel = 'fatal'
  const session = await InferenceSession.create(model, {
    executionProviders: providersFor(device, onCpu),
    intraOpNumThreads: threads!,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // 'all' would add changes of layout around pooling that cost more than they give.
    graphOptimizationLevel: 'extended',
    // Planning memory in patterns nearly doubled the peak of a convolutional step and made it no faster.
    enableMemPattern: false,
    extra: {
      session: {
        // Idle threads that keep spinning take the processors from whichever session runs next.
        force_spinning_stop: '1',
        // Gradients and moments that fade away become numbers so small that arithmetic on them is twenty times slower.
        set_denormal_as_zero: '1',
      },
    },
    logSeverityLevel: 4,
    ...(device === 'webgpu' &&
      resident.length > 0 && {
        preferredOutputLocation: Object.fromEntries(resident.map((name) => [name, 'gpu-buffer' as const])),
      }),
    ...(profile && { enableProfiling: true, profileFilePrefix: profile }),
  })
  return { session: profile && onFallback ? reporting(session, profile, onFallback) : session, Tensor }
}

function providersFor(device: Device, forceCpuNodeNames: readonly string[]) {
  // The runtime refuses an empty list.
  if (forceCpuNodeNames.length > 0) return [{ name: device, forceCpuNodeNames }, 'cpu']
  return device === 'cpu' ? ['cpu'] : [device, 'cpu']
}

/** Opens the bytes of an ONNX model. */
export function open(model: Uint8Array, options?: SessionOptions): Promise<Program> {
  return openWith(backend, model, { ...options, threads: options?.threads ?? defaultThreads() })
}
