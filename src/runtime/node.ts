/** ONNX Runtime in Node: the only file that knows onnxruntime-node. */
import { availableParallelism } from 'node:os'
import { type Backend, openWith, type Program, type SessionOptions } from './session.ts'

/** How many threads a session uses where nothing is said: one for each processor. */
export const defaultThreads = availableParallelism()

const backend: Backend = async (model, { threads = defaultThreads }) => {
  // Loaded when first needed: it maps tens of megabytes, which `--help` should not wait for.
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  const session = await InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
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
    logSeverityLevel: 3,
  })
  return { session, Tensor }
}

/** Opens the bytes of an ONNX model. */
export function open(model: Uint8Array, options?: SessionOptions): Promise<Program> {
  return openWith(backend, model, options)
}
