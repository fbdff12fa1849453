/** Every operator that a graph may hold, by its ONNX name. */
import { convolution } from './convolution.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import { linear } from './linear.ts'
import { movement } from './movement.ts'
import type { Infer } from './operator.ts'
import { reduction } from './reduction.ts'

export const operators: Readonly<Record<string, Infer>> = {
  ...elementwise,
  ...reduction,
  ...linear,
  ...convolution,
  ...movement,
  ...indexing,
}
