/** Every operator that a graph may hold, by its ONNX name, or the runtime's own. */
import { activations } from './activations.ts'
import { convolution } from './convolution.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import { linear } from './linear.ts'
import { movement } from './movement.ts'
import { normalization } from './normalization.ts'
import type { Infer } from './operator.ts'
import { reduction } from './reduction.ts'
import { runtime } from './runtime.ts'

export const operators: Readonly<Record<string, Infer>> = {
  ...elementwise,
  ...activations,
  ...reduction,
  ...linear,
  ...convolution,
  ...normalization,
  ...movement,
  ...indexing,
  ...runtime,
}
